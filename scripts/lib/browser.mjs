// Finds a Chromium for tests: the system's, else Debian's package when root, else Playwright's download.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { find, root, run } from "./run.mjs";
import { Problem, say, step } from "./say.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
const PLACES = [
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
	"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

function installed() {
	const chosen = process.env.NANONET_BROWSER;
	if (chosen) {
		if (existsSync(chosen)) return chosen;
		throw new Problem(
			`NANONET_BROWSER names ${chosen}, which does not exist.`,
			"Set it to the path of a Chromium or Chrome, or unset it.",
		);
	}
	for (const name of NAMES) {
		const path = find(name);
		if (path) return path;
	}
	return PLACES.find((path) => existsSync(path)) ?? playwrights();
}

function playwrights() {
	try {
		const path = createRequire(join(root, "package.json"))(
			"playwright-core",
		).chromium.executablePath();
		return existsSync(path) ? path : undefined;
	} catch {
		return undefined;
	}
}

/** Starts it once: a browser without its system libraries is named now, not in the middle of the tests. */
async function tried(/** @type {string} */ path) {
	say(`Browser for tests: ${path}`);
	const options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"];
	await run(path, [...options, "--dump-dom", "about:blank"], { quiet: true }).catch(() => {
		throw new Problem(
			`${path} does not start; what it said is above.`,
			"Install the system libraries that it misses (as root: `npx playwright-core install-deps chromium`), or set NANONET_BROWSER to another.",
		);
	});
	return path;
}

/**
 * @returns {Promise<string>} the path of a Chromium or Chrome that starts, installed if need be
 */
export async function browser() {
	const there = installed();
	if (there) return tried(there);
	if (process.getuid?.() === 0 && find("apt-get")) {
		await step("Installing Debian's chromium (system package)", async () => {
			const env = { DEBIAN_FRONTEND: "noninteractive" };
			await run("apt-get", ["update", "-q"], { quiet: true, env });
			await run("apt-get", ["install", "-yq", "chromium"], { quiet: true, env });
		}).catch((error) => say(`Debian's package could not be installed: ${error.message}`));
		const path = installed();
		if (path) return tried(path);
	}
	await step("Downloading Playwright's Chromium", () =>
		run("npx", ["playwright-core", "install", "chromium"]),
	).catch(() => undefined);
	const path = installed();
	if (path) return tried(path);
	throw new Problem(
		"There is no Chromium or Chrome for the browser tests, and none could be installed.",
		"Install one, or set NANONET_BROWSER to its path.",
	);
}
