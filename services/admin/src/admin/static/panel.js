// The panel's pages.

import "./living.js";
import "./asking.js";
import "./graph_keys.js";
import "./clock.js";
