// Bringing and keeping a wallet: every format it can come in, backup before money, several accounts, the lock, and
// everything taken elsewhere and back.

import assert from "node:assert/strict";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import {
	createWallet,
	go,
	PASSWORD,
	startNode,
	unlock,
	type Visit,
	visit,
	walletAddress,
} from "./lib/page.js";
import { type BridgeReady, type Server, startBridge } from "./lib/servers.js";
import { launch } from "./lib/tabs.js";
import { until } from "./lib/wait.js";

const dist = fileURLToPath(new URL("../../www/dist", import.meta.url));

/** A seed of the public test vectors with the first account that it opens. */
const SEED = "0".repeat(64);
const ACCOUNT = "nano_3i1aq1cchnmbn9x5rsbap8b15akfh7wj7pwskuzi7ahz8oq6cobd99d4r3b7";
/** The test phrase of Nano's BIP44 documentation, with its passphrase and first account. */
const PHRASE =
	"edge defense waste choose enrich upon flee junk siren film clown finish luggage leader kid quick brick print evidence swap drill paddle truly occur";
const PASSPHRASE = "some password";
const PHRASE_ACCOUNT = "nano_1pu7p5n3ghq1i1p4rhmek41f5add1uh34xpb94nkbxe8g4a6x1p69emk8y1d";

let browser: Browser;
let bridge: Server<BridgeReady>;
let person: Visit;

before(async () => {
	browser = await launch();
	bridge = await startBridge(["--listen", "127.0.0.1:0", "--embedded-devnet", "--www", dist]);
	person = await visit(browser, bridge.ready.url);
	await startNode(person.page);
	await go(person.page, "Wallet");
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
});

/** Locks and removes the open wallet. */
async function remove(page: Page): Promise<void> {
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await page.getByText("Remove the wallet from this browser").click();
	await page.getByLabel("I have the seed or its words").check();
	await page.getByRole("button", { name: "Remove" }).click();
}

async function bring(page: Page, text: string, more: () => Promise<void> = async () => {}) {
	await page.getByRole("button", { name: "Import a seed" }).click();
	await page.getByLabel("Seed").fill(text);
	await more();
	await page.getByLabel("I keep a copy of it").check();
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
}

/** A Nault export as Nault makes it: CryptoJS's AES with a password. */
function nault(seed: string, password: string, indexes: number[]): object {
	const salt = randomBytes(8);
	let last = Buffer.alloc(0);
	let made = Buffer.alloc(0);
	while (made.length < 48) {
		last = createHash("md5")
			.update(Buffer.concat([last, Buffer.from(password), salt]))
			.digest();
		made = Buffer.concat([made, last]);
	}
	const cipher = createCipheriv("aes-256-cbc", made.subarray(0, 32), made.subarray(32, 48));
	const sealed = Buffer.concat([
		Buffer.from("Salted__"),
		salt,
		cipher.update(seed, "utf8"),
		cipher.final(),
	]);
	return { indexes, seed: sealed.toString("base64") };
}

test("nothing is imported before the person says that a copy is kept elsewhere", async () => {
	const { page } = person;
	await page.getByRole("button", { name: "Import a seed" }).click();
	await page.getByLabel("Seed").fill(SEED);
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	assert.ok(
		await page.getByLabel("I keep a copy of it").evaluate((box) => box.matches(":invalid")),
	);
	assert.equal(await page.getByRole("button", { name: "Lock the wallet" }).count(), 0);
	await page.getByRole("button", { name: "Back" }).click();
});

test("a seed of 64 digits opens its account, also as a scanned nanoseed", async () => {
	const { page } = person;
	for (const text of [SEED, `nanoseed:${SEED}`]) {
		await bring(page, text);
		assert.equal(await walletAddress(page), ACCOUNT);
		await remove(page);
	}
});

test("a BIP39 phrase with its passphrase opens the account of hardware wallets", async () => {
	const { page } = person;
	await bring(page, PHRASE, async () => {
		await page.getByText("My words have a passphrase").click();
		await page.getByLabel("BIP39 passphrase").fill(PASSPHRASE);
	});
	assert.equal(await walletAddress(page), PHRASE_ACCOUNT);
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await unlock(page);
	assert.equal(await walletAddress(page), PHRASE_ACCOUNT);
	await remove(page);
});

test("words that are no phrase are refused with the reason", async () => {
	const { page } = person;
	await bring(page, PHRASE.replace("edge", "brick"));
	assert.match(await page.getByRole("alert").innerText(), /checksum|wrong|order/i);
	await page.getByRole("button", { name: "Back" }).click();
});

test("a Nault export opens from a link and from a file, with its accounts, and only with its password", async () => {
	const { page } = person;
	const made = nault(SEED, "nault password", [0, 2]);
	const url = `https://nault.cc/import-wallet#${Buffer.from(JSON.stringify(made)).toString("base64")}`;
	await bring(page, url, () =>
		page.getByLabel("Password of the Nault export").fill("not the password"),
	);
	await page.getByRole("alert").filter({ hasText: "not the password" }).waitFor();
	await page.getByLabel("Password of the Nault export").fill("nault password");
	await page.getByRole("button", { name: "Open the wallet" }).click();
	assert.equal(await walletAddress(page), ACCOUNT);
	assert.equal(await page.locator(".account").count(), 2);
	await remove(page);
	await bring(page, JSON.stringify({ privateKey: "x", indexes: [0] }), async () => {
		await page.getByRole("alert").filter({ hasText: "single key" }).waitFor();
		await page
			.locator("form input[type=file]")
			.first()
			.setInputFiles({
				name: "Nault-Wallet.json",
				mimeType: "application/json",
				buffer: Buffer.from(JSON.stringify(made)),
			});
		await page.getByLabel("Password of the Nault export").fill("nault password");
	});
	assert.equal(await walletAddress(page), ACCOUNT);
	await remove(page);
});

test("a wallet of the earlier version opens with its password and is kept as it is now", async () => {
	const { page } = person;
	await bring(page, SEED);
	await walletAddress(page);
	// Version 2 encrypted one byte for the kind and the seed, under the same kind of key.
	const { argon2id } = await import("hash-wasm");
	const salt = randomBytes(16);
	const iv = randomBytes(12);
	const key = await argon2id({
		password: PASSWORD,
		salt,
		iterations: 3,
		memorySize: 65_536,
		parallelism: 1,
		hashLength: 32,
		outputType: "binary",
	});
	const cipher = createCipheriv("aes-256-gcm", key, iv);
	const sealed = Buffer.concat([
		cipher.update(Buffer.concat([Buffer.from([0]), Buffer.from(SEED, "hex")])),
		cipher.final(),
		cipher.getAuthTag(),
	]);
	const old = {
		version: 2,
		salt: salt.toString("hex"),
		iv: iv.toString("hex"),
		sealed: sealed.toString("hex"),
	};
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await page.evaluate((text) => localStorage.setItem("nanonet-vault", text), JSON.stringify(old));
	await unlock(page);
	assert.equal(await walletAddress(page), ACCOUNT);
	const kept = await page.evaluate(() => localStorage.getItem("nanonet-vault") ?? "");
	assert.equal(JSON.parse(kept).version, 3);
	assert.ok(!kept.includes(SEED));
	await remove(page);
});

test("an address is shown only once a backup was confirmed, and the confirmation asks for the words", async () => {
	const { page } = person;
	await page.getByRole("button", { name: "Create a new wallet" }).click();
	await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await page.getByRole("button", { name: "Open the wallet" }).click();
	await page.getByRole("heading", { name: "Back up first" }).waitFor();
	assert.equal(await page.locator(".receive code").count(), 0);
	assert.equal(await page.getByRole("button", { name: "Get test coins" }).count(), 0);
	await page.getByRole("button", { name: "Show the words" }).click();
	const words = await page.locator(".words li").allInnerTexts();
	assert.equal(words.length, 24);
	await page.getByRole("button", { name: "I wrote them down" }).click();
	const fields = page.getByLabel(/^Word number \d+$/);
	for (const field of await fields.all()) await field.fill("wrong");
	await page.getByRole("button", { name: "Confirm the backup" }).click();
	await page.getByRole("alert").filter({ hasText: "not what the words say" }).waitFor();
	for (const [at, label] of (await page.locator("label[for^=word-]").allInnerTexts()).entries()) {
		const place = Number(/\d+/.exec(label)?.[0]);
		await page.locator(`#word-${at}`).fill(words[place - 1] ?? "");
	}
	await page.getByRole("button", { name: "Confirm the backup" }).click();
	await walletAddress(page);
	await remove(page);
});

test("the words of a wallet bring the same account back in another browser", async () => {
	const { page } = person;
	const address = await createWallet(page);
	await page.getByText("Backup", { exact: true }).click();
	await page.getByRole("button", { name: "Show the words" }).click();
	const words = (await page.locator(".words li").allInnerTexts()).join(" ");
	const elsewhere = await visit(browser, bridge.ready.url);
	await startNode(elsewhere.page);
	await go(elsewhere.page, "Wallet");
	await bring(elsewhere.page, words);
	await elsewhere.page
		.getByRole("listitem")
		.filter({ hasText: "The words of a Nano seed" })
		.getByRole("button")
		.click();
	assert.equal(await walletAddress(elsewhere.page), address);
	await elsewhere.context.close();
});

test("accounts are added, named, switched, and come back after the lock", async () => {
	const { page } = person;
	const first = await walletAddress(page);
	await page.getByText("Name, add or find accounts").click();
	await page.getByRole("button", { name: "Add an account" }).click();
	await until("the second account is shown", async () => (await walletAddress(page)) !== first);
	const second = await walletAddress(page);
	await page.getByLabel("Name of this account").fill("Savings");
	await page.getByRole("button", { name: "Lock the wallet" }).click();
	await unlock(page);
	await page.getByRole("button", { name: "Savings" }).click();
	assert.equal(await walletAddress(page), second);
	await page.locator(".account").first().click();
	assert.equal(await walletAddress(page), first);
});

test("everything in a wallet goes into a file and comes back with its password", async () => {
	const { page } = person;
	await page.getByText("Address book", { exact: true }).click();
	await page.getByLabel("Name", { exact: true }).fill("A friend");
	await page.getByLabel("Its address").fill(ACCOUNT);
	await page.getByRole("button", { name: "Add the name" }).click();
	await page.locator(".book li").filter({ hasText: "A friend" }).waitFor();
	const address = await walletAddress(page);
	await page.getByText("Backup", { exact: true }).click();
	const [download] = await Promise.all([
		page.waitForEvent("download"),
		page.getByRole("button", { name: "Save the wallet file" }).click(),
	]);
	const file = readFileSync(await download.path(), "utf8");
	assert.ok(!file.includes("A friend"), "the file is encrypted");
	await remove(page);
	await bring(page, file);
	assert.equal(await walletAddress(page), address);
	assert.equal(await page.locator(".account").count(), 2);
	await page.getByText("Address book", { exact: true }).click();
	await page.locator(".book li").filter({ hasText: "A friend" }).waitFor();
});

test("the wallet locks by itself when nobody touches the page for as long as was chosen", async () => {
	const { page } = person;
	await go(page, "Settings");
	await page.getByLabel("Lock after minutes").fill("1");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Saved", { exact: true }).waitFor();
	await go(page, "Wallet");
	await walletAddress(page);
	// The page's clock goes on by a minute; nobody touches it.
	await page.evaluate(() => {
		const real = Date.now;
		Date.now = () => real() + 61_000;
	});
	await page.getByRole("heading", { name: "Unlock your wallet" }).waitFor();
});

test("the page had no error", () => {
	assert.deepEqual(person.problems, []);
});
