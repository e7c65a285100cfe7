// Paying and being paid: links and codes, addresses made to be mistaken, small payments, representatives, high values,
// what was done, and blocks that are signed on a device without a network.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { suspicion } from "../../www/src/lib/address-check.js";
import { nanoLink, readNanoLink } from "../../www/src/lib/nano-link.js";
import {
	balance,
	createWallet,
	go,
	PASSWORD,
	send,
	startNode,
	type Visit,
	visit,
	walletAddress,
} from "./lib/page.js";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));
const NANO = 10n ** 30n;

let browser: Browser;
let bridge: Server<BridgeReady>;
let payer: Visit;
let payee: Visit;
let payerAddress = "";
let payeeAddress = "";

const open = async () => {
	const person = await visit(browser, bridge.ready.url);
	await startNode(person.page);
	return person;
};
const confirmed = (page: Page) =>
	page.locator("form .progress.confirmed").first().waitFor({ timeout: 60_000 });

before(async () => {
	browser = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
	payer = await open();
	payee = await open();
	payerAddress = await createWallet(payer.page);
	payeeAddress = await createWallet(payee.page);
	await payer.page.getByRole("button", { name: "Get test coins" }).click();
	await until("coins arrived", async () => /[1-9]/.test(await balance(payer.page)));
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

test("a payment link says whom, how much and what for, exactly, and nothing else is read as one", () => {
	const link = nanoLink(payeeAddress, NANO / 4n + 1n, "two coffees & tea");
	assert.deepEqual(readNanoLink(link), {
		address: payeeAddress,
		amount: NANO / 4n + 1n,
		message: "two coffees & tea",
	});
	assert.equal(readNanoLink(`nano:${payeeAddress}?amount=1.5`)?.amount, null);
	assert.equal(readNanoLink(`nano:${payeeAddress}?message=%E2%80%AEevil`)?.message, "evil");
	assert.equal(readNanoLink("bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT"), undefined);
});

test("an address that begins or ends like a known one, or holds foreign letters, is suspicious", () => {
	const known = [{ address: payeeAddress, name: "A friend" }];
	const middle = `${payeeAddress.slice(0, 30)}${payeeAddress[30] === "1" ? "3" : "1"}`;
	const alike = `${middle}${payeeAddress.slice(31)}`;
	assert.equal(suspicion(alike, known)?.kind, "alike");
	assert.equal(suspicion(payeeAddress, known), undefined);
	assert.equal(suspicion(payeeAddress.replace("nano_", "xrb_"), known), undefined);
	assert.equal(suspicion(payerAddress, known), undefined);
	assert.equal(suspicion(payeeAddress.replace(/.$/, "а"), known)?.kind, "foreign");
});

test("an asked-for amount becomes a code that the payer's page reads from a picture and pays", async () => {
	const { page } = payee;
	await page.getByText("Ask for an amount").click();
	await page.getByLabel("How much, in nano").fill("0.25");
	await page.getByLabel("What for").fill("two coffees");
	await page.getByRole("button", { name: "Put it into the code" }).click();
	await page.getByRole("button", { name: "Copy the link" }).waitFor();
	const picture = await page.locator(".receive .qr").screenshot();
	await payer.page.getByRole("button", { name: "Scan a payment code" }).click();
	await payer.page.getByLabel("Choose a picture").setInputFiles({
		name: "code.png",
		mimeType: "image/png",
		buffer: picture,
	});
	await payer.page.getByText("two coffees").waitFor();
	assert.equal(await payer.page.locator("#to").inputValue(), payeeAddress);
	assert.equal(await payer.page.locator("#amount").inputValue(), "0.25");
	await payer.page.getByRole("button", { name: "Send", exact: true }).click();
	await confirmed(payer.page);
	await until("the payment arrived", async () => (await balance(page)).includes("0.25"));
});

test("a pasted address that only looks like one that was paid is stopped until the person compared it", async () => {
	const { page } = payer;
	// Same ends; that its checksum is wrong is told later, when it is parsed.
	const swapped = payeeAddress[30] === "1" ? "3" : "1";
	const fake = `${payeeAddress.slice(0, 30)}${swapped}${payeeAddress.slice(31)}`;
	await page.locator("#to").fill(fake);
	await page.locator("#amount").fill("0.1");
	const alert = page.getByRole("alert").filter({ hasText: "Careful" });
	await alert.waitFor();
	const button = page.getByRole("button", { name: "Send", exact: true });
	assert.equal(await button.isDisabled(), true);
	await page.getByLabel("I compared both").check();
	assert.equal(await button.isDisabled(), false);
	await button.click();
	await page
		.getByRole("alert")
		.filter({ hasText: /checksum/i })
		.waitFor();
	await page.locator("#to").fill("");
});

test("a payment in raw is exact", async () => {
	const { page } = payer;
	await page.locator("#to").fill(payeeAddress);
	await page.getByLabel("Unit").selectOption("raw");
	await page.getByRole("textbox", { name: "Amount in raw" }).fill("1");
	await page.getByText("Ӿ 0.000000000000000000000000000001", { exact: true }).waitFor();
	await page.getByRole("button", { name: "Send", exact: true }).click();
	await confirmed(page);
	await page.getByLabel("Unit").selectOption("nano");
});

test("what is smaller than the minimum waits until the person says so", async () => {
	const { page } = payee;
	const waiting = page.locator(".waiting li");
	await waiting.first().waitFor({ timeout: 60_000 });
	assert.ok(!(await balance(page)).includes("0.250000000000000000000000000001"));
	await waiting.getByRole("button", { name: "Receive" }).click();
	await until("it arrived", async () =>
		(await balance(page)).includes("0.250000000000000000000000000001"),
	);
	assert.equal(await waiting.count(), 0);
});

test("a representative is chosen by weight out of those who signed, and the proof shows the change", async () => {
	const { page } = payer;
	await page.getByText("Representative", { exact: true }).last().click();
	const before = await page.locator("details[open] p code").first().getAttribute("title");
	const voters = page.locator(".voters label");
	assert.ok((await voters.count()) >= 2);
	const choice = page.locator(`.voters label:not(:has(code[title="${before}"]))`).first();
	const wanted = await choice.locator("code").getAttribute("title");
	await choice.getByRole("radio").check();
	await page.getByRole("button", { name: "Change the representative" }).click();
	await until("the change is proven", async () => {
		const now = await page.locator("details[open] p code").first().getAttribute("title");
		return now === wanted && wanted !== before;
	});
});

test("what this browser did is listed, newest first", async () => {
	const { page } = payer;
	const heading = page.getByText("What this browser did");
	await heading.click();
	const rows = page.locator(".history li strong");
	assert.match((await rows.first().innerText()) ?? "", /Changed the representative/);
	const texts = await rows.allInnerTexts();
	assert.ok(texts.includes("Sent Ӿ 0.25"), texts.join("; "));
	assert.ok(texts.some((text) => text.startsWith("Received Ӿ ")));
});

test("a high value is said to need a full node, from the amount that the person set", async () => {
	const { page } = payer;
	assert.equal(await page.locator(".high-value").count(), 0);
	await go(page, "Settings");
	await page.getByLabel("From this amount on").fill("0.5");
	await page.getByRole("button", { name: "Save" }).click();
	await go(page, "Wallet");
	await page.locator("#amount").fill("0.6");
	await page.getByText("This is a high value").first().waitFor();
	await page.locator("#amount").fill("0.4");
	await until(
		"only what is high is said to be",
		async () => (await page.locator("form .high-value").count()) === 0,
	);
	await page.locator("#amount").fill("");
});

test("a payment is signed in a browser that has the key and no network, and sent by one that has none", async () => {
	// The watching browser knows the address only.
	const watching = await open();
	const { page } = watching;
	await go(page, "Wallet");
	await page.getByRole("button", { name: "Watch an address" }).click();
	await page.getByLabel("Address to watch").fill(payerAddress);
	await page.getByLabel("Password").fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	assert.equal(await walletAddress(page), payerAddress);
	await until("the balance is known", async () => /[1-9]/.test(await balance(page)));
	await send(page, payeeAddress, "0.125");
	const out = page.locator(".sign code").first();
	await out.waitFor();
	const unsigned = (await out.getAttribute("title")) ?? "";
	assert.match(unsigned, /^nanosign:/);

	// The signer has no network.
	const signer = payer.page;
	await payer.context.setOffline(true);
	await signer.getByText("Sign for another device").click();
	const lied = unsigned.replace(/"balance":"\d+"/, '"balance":"1"');
	await signer.getByLabel("Block to sign").fill(lied);
	await signer.locator("details[open] .note strong").waitFor();
	assert.ok(!(await signer.locator("details[open] .note").innerText()).includes("0.125"));
	await signer.getByLabel("Block to sign").fill(unsigned);
	await signer.getByText("Sends Ӿ 0.125").waitFor();
	assert.ok((await signer.locator("details[open] .note").innerText()).includes(payeeAddress));
	await signer.getByRole("button", { name: "Sign the block" }).click();
	const back = signer.locator("details[open] code[title^='nanoprocess:']");
	const signed = (await back.getAttribute("title")) ?? "";

	// Another signature does not pass.
	await page.getByLabel("Signed block").fill(signed.replace(/"signature":"./, '"signature":"0'));
	await page.getByRole("button", { name: "Send it to the network" }).click();
	await page.getByRole("alert").filter({ hasText: "not this block" }).waitFor();
	await send(page, payeeAddress, "0.125");
	await page.getByLabel("Signed block").fill(signed);
	await page.getByRole("button", { name: "Send it to the network" }).click();
	await confirmed(page);
	await payer.context.setOffline(false);
	await until("it arrived", async () => (await balance(payee.page)).includes("0.375"));
	assert.deepEqual(watching.problems, []);
	await watching.context.close();
});

test("the pages had no error", () => {
	const own = [...payer.problems, ...payee.problems].filter(
		(text) => !/WebSocket|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(text),
	);
	assert.deepEqual(own, []);
});
