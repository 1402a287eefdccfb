() => {
  const ENOUGH = 4.5, ENOUGH_WHEN_LARGE = 3, LARGE_PX = 24, LARGE_BOLD_PX = 18.66, BOLD = 700;

  const numbers = (color) => {
    const found = color.match(/[\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const lineage = (element) => (element ? [element, ...lineage(element.parentElement)] : []);
  const background = (element) => {
    const layers = lineage(element).map((each) => numbers(getComputedStyle(each).backgroundColor));
    const opaque = layers.findIndex((layer) => layer[3] === 1);
    const base = opaque < 0 ? [255, 255, 255, 1] : layers[opaque];
    return layers.slice(0, opaque < 0 ? undefined : opaque).reduceRight((back, layer) => over(layer, back), base);
  };
  const isShown = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const contrast = (element, style) => {
    const isSvgText = element instanceof SVGElement;
    const back = background(element);
    const opacity = lineage(element).reduce((all, each) => all * getComputedStyle(each).opacity, 1);
    const [r, g, b, a] = numbers(isSvgText ? style.fill : style.color);
    const [dark, light] = [luminance(over([r, g, b, a * opacity], back)), luminance(back)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };

  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || element.closest("script, style, template, noscript, option, :disabled, [aria-disabled=true]") || !isShown(element)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= LARGE_PX || (size >= LARGE_BOLD_PX && style.fontWeight >= BOLD);
    const found = contrast(element, style);
    if (found < (isLarge ? ENOUGH_WHEN_LARGE : ENOUGH)) faint.push(`${found.toFixed(2)}:1 ${text.slice(0, 40)}`);
  }
  return faint;
}
