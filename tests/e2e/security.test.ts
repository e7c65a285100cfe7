// Nothing that comes from outside becomes code or markup: what the bridge's headers forbid, what the browser enforces
// of it, and every text of strangers tried with a script in it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { createWallet, go, startNode, type Visit, visit } from "./lib/page.js";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

let browser: Browser;
let bridge: Server<BridgeReady>;
let person: Visit;

/** Texts that would run if one of them were ever taken as markup, as an address or as code. */
const ATTACKS = [
	'<img src="x" onerror="globalThis.injected=1">',
	"<script>globalThis.injected=1</script>",
	'"><svg onload=globalThis.injected=1>',
	"javascript:globalThis.injected=1",
	"{{constructor.constructor('globalThis.injected=1')()}}",
];
const ACCOUNT = "nano_3i1aq1cchnmbn9x5rsbap8b15akfh7wj7pwskuzi7ahz8oq6cobd99d4r3b7";

before(async () => {
	browser = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
	person = await visit(browser, bridge.ready.url);
	await startNode(person.page);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

/** Fails if any attack became markup or ran. */
async function unharmed(page: Page, where: string): Promise<void> {
	const harm = await page.evaluate(() => ({
		ran: "injected" in globalThis,
		markup: document.querySelectorAll("[onerror], [onload], body script, img[src=x]").length,
		links: [...document.querySelectorAll("a")].filter((a) => a.protocol === "javascript:").length,
	}));
	assert.deepEqual(harm, { ran: false, markup: 0, links: 0 }, where);
}

test("the bridge sends the page with the strictest policy that it works under", async () => {
	for (const path of ["/", "/offline-worker.js", "/v1/info"]) {
		const { headers } = await fetch(new URL(path, bridge.ready.url));
		const policy = new Map(
			(headers.get("content-security-policy") ?? "").split(";").map((part) => {
				const [name = "", ...values] = part.trim().split(/\s+/);
				return [name, values.join(" ")];
			}),
		);
		assert.equal(policy.get("default-src"), "'none'", path);
		assert.equal(policy.get("script-src"), "'self' 'wasm-unsafe-eval'", path);
		assert.equal(policy.get("style-src"), "'self'", path);
		assert.equal(policy.get("require-trusted-types-for"), "'script'", path);
		assert.equal(policy.get("trusted-types"), "default", path);
		assert.equal(policy.get("base-uri"), "'none'", path);
		assert.equal(policy.get("form-action"), "'none'", path);
		assert.equal(policy.get("frame-ancestors"), "'none'", path);
		assert.equal(headers.get("x-content-type-options"), "nosniff", path);
		assert.equal(headers.get("referrer-policy"), "no-referrer", path);
	}
});

test("every script and style that the page names is checked against a digest", async () => {
	const html = await (await fetch(bridge.ready.url)).text();
	const named = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"([^>]*)/g)];
	assert.ok(named.length >= 4);
	for (const [, path = "", rest = ""] of named) {
		const body = Buffer.from(await (await fetch(new URL(path, bridge.ready.url))).arrayBuffer());
		const digest = createHash("sha384").update(body).digest("base64");
		assert.ok(rest.includes(`integrity="sha384-${digest}"`), path);
	}
});

test("the browser refuses markup, code and foreign workers made of text", async () => {
	const refused = await person.page.evaluate(() => {
		const attempt = (run: () => unknown) => {
			try {
				run();
				return "allowed";
			} catch (error) {
				return (error as Error).name;
			}
		};
		return {
			markup: attempt(() => {
				document.createElement("div").innerHTML = "<b>x</b>";
			}),
			script: attempt(() => {
				document.createElement("script").text = "1";
			}),
			address: attempt(() => {
				document.createElement("script").src = "/offline-worker.js";
			}),
			handler: attempt(() => {
				document.body.setAttribute("onclick", "globalThis.injected = 1");
			}),
			foreign: attempt(() => new Worker("https://evil.example/worker.js")),
			data: attempt(() => new Worker("data:text/javascript,1")),
			policy: attempt(() =>
				// biome-ignore lint/suspicious/noExplicitAny: no types for Trusted Types in this version
				(globalThis as any).trustedTypes.createPolicy("another", {}),
			),
		};
	});
	assert.deepEqual(refused, {
		markup: "TypeError",
		script: "TypeError",
		address: "TypeError",
		handler: "TypeError",
		foreign: "TypeError",
		data: "TypeError",
		policy: "TypeError",
	});
	// Those refusals are what was wanted.
	person.problems.length = 0;
});

test("a payment link cannot carry script in address, label or message", async () => {
	const { page } = person;
	await createWallet(page);
	for (const attack of ATTACKS) {
		const text = encodeURIComponent(attack);
		await page.locator("#to").fill(`nano:${ACCOUNT}?amount=1&label=${text}&message=${text}`);
		await page.locator("q").waitFor();
		assert.ok((await page.locator("q").innerText()).includes(attack.slice(0, 12)));
		await unharmed(page, `message ${attack}`);
		await page.locator("#to").fill(`nano:${attack}`);
		await unharmed(page, `address ${attack}`);
	}
	await page.locator("#to").fill("");
});

test("an address book that is brought cannot carry script in names or addresses", async () => {
	const { page } = person;
	await page.getByText("Address book", { exact: true }).click();
	const bring = (book: unknown) =>
		page.locator("input[accept^='.json,application']").setInputFiles({
			name: "book.json",
			mimeType: "application/json",
			buffer: Buffer.from(JSON.stringify(book)),
		});
	for (const attack of ATTACKS) {
		await bring([{ name: attack, address: ACCOUNT }]);
		await page
			.locator(".book strong")
			.filter({ hasText: attack.slice(0, 12) })
			.waitFor();
		await unharmed(page, `name ${attack}`);
		await bring([{ name: "x", address: attack }]);
		await page.locator(".more").getByRole("alert").waitFor();
		await unharmed(page, `book address ${attack}`);
	}
	// The names are also shown where one asks and pays.
	await go(page, "Ask");
	await unharmed(page, "names among the proposals");
	await go(page, "Wallet");
	await bring({ not: "a list" });
	await page.getByText("no address book").waitFor();
});

test("an imported text cannot carry script, whatever format it claims to be", async () => {
	const other = await visit(browser, bridge.ready.url);
	const { page } = other;
	await startNode(page);
	await go(page, "Wallet");
	await page.getByRole("button", { name: "Import a seed" }).click();
	for (const attack of ATTACKS) {
		for (const text of [
			attack,
			JSON.stringify({ seed: attack, indexes: [attack] }),
			JSON.stringify({
				format: "nanonet-wallet",
				version: 3,
				salt: attack,
				iv: "00",
				sealed: "00",
			}),
		]) {
			await page.getByLabel("Seed").fill(text);
			await unharmed(page, `import ${text}`);
		}
	}
	assert.deepEqual(other.problems, []);
	await other.context.close();
});

test("a proof link cannot carry script", async () => {
	const other = await visit(browser, bridge.ready.url);
	for (const attack of ATTACKS) {
		for (const text of [attack, Buffer.from(attack).toString("base64url")]) {
			await other.page.goto("about:blank");
			await other.page.goto(`${bridge.ready.url}#proof=${text}`);
			await other.page.getByText("Refused", { exact: true }).waitFor();
			await unharmed(other.page, `proof ${text}`);
		}
	}
	await other.context.close();
});

test("what a bridge says of itself and of accounts cannot carry script", async () => {
	const context = await browser.newContext();
	const page = await context.newPage();
	const [attack = ""] = ATTACKS;
	await page.route("**/v1/info", async (route) => {
		const response = await route.fetch();
		const info = await response.json();
		info.samples = ATTACKS.map((name) => ({ name, account: name }));
		info.reach = { ...info.reach, percent: attack };
		await route.fulfill({ response, json: info });
	});
	await page.goto(bridge.ready.url);
	await startNode(page);
	await unharmed(page, "the node view");
	await go(page, "Ask");
	assert.equal(await page.locator(".chip").count(), ATTACKS.length);
	for (const chip of await page.locator(".chip").all()) {
		await chip.click();
		await unharmed(page, "a sample");
	}
	await context.close();
});

test("keys and seeds never reach the node's worker, the network or the page's log", async () => {
	const context = await browser.newContext();
	await context.addInitScript("globalThis.__name = (named) => named");
	await context.addInitScript(() => {
		const seen: string[] = [];
		Object.assign(globalThis, { seen });
		const post = Worker.prototype.postMessage as (...message: unknown[]) => void;
		Worker.prototype.postMessage = function (this: Worker, ...message: unknown[]) {
			seen.push(
				JSON.stringify(message, (_key, value) => (typeof value === "bigint" ? `${value}` : value)),
			);
			post.apply(this, message);
		};
	});
	const page = await context.newPage();
	const said: string[] = [];
	page.on("console", (message) => said.push(message.text()));
	page.on("request", (request) => said.push(request.url(), request.postData() ?? ""));
	page.on("websocket", (socket) => {
		socket.on("framesent", ({ payload }) => said.push(payload.toString("latin1")));
	});
	await page.goto(bridge.ready.url);
	await startNode(page);
	await go(page, "Wallet");
	await page.getByRole("button", { name: "Create a new wallet" }).click();
	await page.locator(".words li").first().waitFor();
	const words = await page.locator(".words li").allInnerTexts();
	await page.getByLabel("I have written the words down").check();
	await page.getByLabel("Password").fill("correct horse battery");
	await page.getByRole("button", { name: "Open the wallet" }).click();
	await page.getByRole("button", { name: "Get test coins" }).click();
	await page.locator("section:not([hidden]) .verdict").first().waitFor({ timeout: 60_000 });
	const secrets = await page.evaluate(async (phrase) => {
		const link = document.querySelector<HTMLLinkElement>("link[rel=modulepreload]");
		const core = await import(link?.href.replace("index.js", "core.js") ?? "");
		await core.initCore();
		const seed = core.wordsToSeed(phrase);
		return [seed, core.deriveAccount(seed, 0).privateKey] as string[];
	}, words.join(" "));
	// biome-ignore lint/suspicious/noExplicitAny: put there by the init script
	const toWorkers: string[] = await page.evaluate(() => (globalThis as any).seen);
	assert.ok(
		toWorkers.some((message) => message.includes("process")),
		"blocks were seen going by",
	);
	const everything = [...toWorkers, ...said].join("\n").toLowerCase();
	for (const secret of [...secrets, words.slice(0, 4).join(" "), "correct horse battery"]) {
		assert.ok(!everything.includes(secret.toLowerCase()), "a secret left the page");
	}
	await context.close();
});

test("the page had no error", () => {
	assert.deepEqual(person.problems, []);
});
