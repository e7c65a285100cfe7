// The page in every language: complete, remembered, and from right to left where that is how it is written.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { ar } from "../../www/src/lang/ar.js";
import { de } from "../../www/src/lang/de.js";
import { en } from "../../www/src/lang/en.js";
import { es } from "../../www/src/lang/es.js";
import { fr } from "../../www/src/lang/fr.js";
import { type Dictionary, LANGUAGES } from "../../www/src/lib/i18n.js";
import { linked, visit } from "./lib/page.js";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));
const DICTIONARIES: Record<string, Dictionary> = { en, es, de, fr, ar };

let browser: Browser;
let bridge: Server<BridgeReady>;

before(async () => {
	browser = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const forms = (entry: string | object) =>
	typeof entry === "string" ? [entry] : Object.values(entry);

/** What a dictionary lacks against English. */
function gaps(language: string, dictionary: Record<string, string | object>): string[] {
	const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
	return Object.entries(en).flatMap(([key, english]) => {
		const entry = dictionary[key];
		if (entry === undefined) return [`${key} is missing`];
		if (typeof entry !== typeof english) return [`${key} is of another shape`];
		const found = forms(entry);
		const faults: string[] = [];
		if (found.some((text) => text.trim() === "")) faults.push(`${key} is empty`);
		if (typeof entry === "object") {
			const missing = wanted.filter((form) => !(form in entry));
			if (missing.length > 0) faults.push(`${key} lacks ${missing}`);
		} else if (String(names(entry)) !== String(names(String(english)))) {
			faults.push(`${key} has other names in braces`);
		}
		const known = new Set(forms(english).flatMap(names));
		if (found.flatMap(names).some((name) => !known.has(name))) {
			faults.push(`${key} names what the page does not put in`);
		}
		return faults;
	});
}

test("every language says everything that English says, in every form of its numbers", () => {
	assert.deepEqual(Object.keys(DICTIONARIES), Object.keys(LANGUAGES));
	for (const [language, dictionary] of Object.entries(DICTIONARIES)) {
		assert.deepEqual(gaps(language, dictionary), [], language);
		assert.deepEqual(Object.keys(dictionary).sort(), Object.keys(en).sort(), language);
	}
});

test("a text that is missing, empty or without its value is found", () => {
	const { "send.do": _, ...missing } = de;
	assert.deepEqual(gaps("de", missing), ["send.do is missing"]);
	assert.deepEqual(gaps("de", { ...de, "send.do": " " }), ["send.do is empty"]);
	assert.equal(gaps("de", { ...de, "send.block": "Block" }).length, 1);
	assert.equal(gaps("ar", { ...ar, "count.tabs": { other: "{n}" } }).length, 1);
});

test("no text of another language was left in English", () => {
	for (const [language, dictionary] of Object.entries(DICTIONARIES)) {
		if (language === "en") continue;
		const same = Object.keys(en).filter((key) => {
			const english = en[key as keyof typeof en];
			const other = dictionary[key as keyof typeof en];
			return typeof english === "string" && english === other && english.split(" ").length > 3;
		});
		assert.deepEqual(same, [], language);
	}
});

test("the browser's language is taken, another can be chosen, and the choice is remembered", async () => {
	const context = await browser.newContext({ locale: "de-DE" });
	const page = await context.newPage();
	await page.goto(bridge.ready.url);
	await page.getByRole("button", { name: de["welcome.start"] }).waitFor();
	await page.getByLabel(de["settings.language"]).selectOption("fr");
	await page.getByRole("button", { name: fr["welcome.start"] }).waitFor();
	await page.reload();
	await page.getByRole("button", { name: fr["welcome.start"] }).waitFor();
	assert.equal(await page.locator("html").getAttribute("lang"), "fr");
	await context.close();
});

test("Arabic runs from right to left, with addresses and words of a seed left to right", async () => {
	const { page, context, problems } = await visit(browser, bridge.ready.url);
	await page.getByRole("button", { name: "Start my node" }).click();
	await linked(page);
	await page.getByRole("link", { name: "Settings", exact: true }).click();
	await page.locator("section:not([hidden]) #language").selectOption("ar");
	await page.getByRole("heading", { level: 1, name: ar["settings.title"] }).waitFor();
	assert.equal(await page.evaluate(() => getComputedStyle(document.body).direction), "rtl");
	await page.getByRole("link", { name: ar["wallet.name"], exact: true }).click();
	await page.getByRole("button", { name: ar["new.create"] }).click();
	const words = page.locator(".words");
	assert.equal(await words.evaluate((list) => getComputedStyle(list).direction), "ltr");
	const [brand, pill] = await Promise.all([
		page.locator(".brand").boundingBox(),
		page.locator(".pill").boundingBox(),
	]);
	assert.ok(brand && pill && brand.x > pill.x, "the name stands at the right");
	const overflow = await page.evaluate(
		() => document.documentElement.scrollWidth - document.documentElement.clientWidth,
	);
	assert.equal(overflow, 0);
	assert.deepEqual(problems, []);
	await context.close();
});
