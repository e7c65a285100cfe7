// Where the page begins.

import "./lib/trusted.js";
import { render } from "preact";
import { App } from "./app.js";
import { startLanguage } from "./lib/i18n.js";
import { start, startedBefore } from "./lib/session.js";
import { followUpdates } from "./lib/update.js";
import { loadCore } from "./lib/wallet.js";
import { ASK_FRAGMENT } from "./views/ask.js";

if (startedBefore()) {
	// Before anything is drawn: whoever comes again waits for the node, not for the page.
	void start();
	// What is asked at once is first read; a load that fails is told where it is needed.
	if (location.hash.startsWith(ASK_FRAGMENT)) loadCore().catch(() => {});
}
void startLanguage();
const place = document.getElementById("app");
if (place) {
	place.replaceChildren();
	render(<App />, place);
}
void followUpdates();
