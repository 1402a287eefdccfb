"""From a delivered event in the volume to its case on an open page of the refund console, live at 60×."""

from benchmarks.page_latency import Line, main

LINE = Line(
    name="refund line",
    parameters=("-p", "refund_history_share=0"),
    app="refunds",
    page="/",
    prepare=lambda _: None,
    case_of=lambda order_id: order_id,
    reach=5,
    seconds=120,
)

if __name__ == "__main__":
    main(LINE)
