// Where the page begins.

import { render } from "preact";
import { App } from "./app.js";

const place = document.getElementById("app");
if (place) {
	place.replaceChildren();
	render(<App />, place);
}

navigator.serviceWorker?.register("/offline-worker.js").catch(() => {
	// Without it the page works as long as there is a network.
});
