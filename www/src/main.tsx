// Where the page begins.

import "./lib/trusted.js";
import { render } from "preact";
import { App } from "./app.js";
import { startLanguage } from "./lib/i18n.js";
import { followUpdates } from "./lib/update.js";

void startLanguage();
const place = document.getElementById("app");
if (place) {
	place.replaceChildren();
	render(<App />, place);
}
void followUpdates();
