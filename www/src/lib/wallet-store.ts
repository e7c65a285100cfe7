// The open wallet as a store that components subscribe to: accounts, what is known of them, and what the vault keeps.
//
// States: closed <-> open. Closing forgets every secret and stops what is being done for its accounts.

import type { AccountAnswer, NanoNode, StateBlockJson } from "nanonet";
import { useEffect, useState } from "preact/hooks";
import type { Known } from "./address-check.js";
import { short } from "./format.js";
import { t } from "./i18n.js";
import { Keeper, type News } from "./keeper.js";
import type { Progress } from "./own-account.js";
import { ask } from "./session.js";
import { settings } from "./settings.js";
import { type Contents, type HistoryEntry, newContents, Vault } from "./vault.js";
import { accountOf, type OpenWallet } from "./wallet.js";

/** Most accounts in use at once: the node watches at most 64. */
export const MOST_ACCOUNTS = 32;
/** Blocks that are remembered; the oldest goes first. */
const MOST_HISTORY = 500;
/** Names in the address book. */
export const MOST_BOOK = 500;

/** What is known of one account. */
export interface Kept {
	answer: AccountAnswer | null;
	progress: Progress | null;
	problem: string | null;
	workFor: string | null;
}

/** A block that has to be signed elsewhere. */
export interface SignRequest {
	unsigned: StateBlockJson;
	/** The block it builds on, where that is known: whoever signs reads the amount from the two. */
	previous: object | null;
	/** Hands over what came back. */
	give(signed: StateBlockJson): void;
	refuse(): void;
}

/** The open wallet. */
export interface Wallet {
	contents: Contents;
	/** In the order of `contents.accounts`. */
	accounts: OpenWallet[];
	/** Place of the account that is shown. */
	chosen: number;
	kept: ReadonlyMap<string, Kept>;
	request: SignRequest | null;
}

const NOTHING: Kept = { answer: null, progress: null, problem: null, workFor: null };

let wallet: Wallet | null = null;
let vault: Vault | null = null;
const keepers = new Map<string, { node: NanoNode; keeper: Keeper }>();
const listeners = new Set<() => void>();

function change(next: Wallet | null): void {
	wallet = next;
	for (const listener of listeners) listener();
}

/** The open wallet, kept current in a component; `null` while it is closed. */
export function useWallet(): Wallet | null {
	const [value, set] = useState(wallet);
	useEffect(() => {
		const listener = () => set(wallet);
		listeners.add(listener);
		listener();
		return () => {
			listeners.delete(listener);
		};
	}, []);
	return value;
}

async function show(next: Vault, contents: Contents): Promise<void> {
	const { secret } = contents;
	const accounts = await Promise.all(
		contents.accounts.map(({ index }) => accountOf(secret, index)),
	);
	vault = next;
	change({ contents, accounts, chosen: 0, kept: new Map(), request: null });
}

/** Makes a wallet, keeps it under a password, and opens it. */
export async function createWallet(
	secret: Contents["secret"],
	indexes: number[],
	password: string,
	backedUp: boolean,
): Promise<void> {
	const contents = newContents(secret, indexes.slice(0, MOST_ACCOUNTS), backedUp);
	await show(await Vault.create(contents, password), contents);
}

/** Opens the wallet that is kept here; with `text` an exported one, which is kept here from then on. */
export async function openWallet(password: string, text?: string): Promise<void> {
	const [opened, contents] = await Vault.open(password, text);
	if (text !== undefined) await opened.save(contents);
	await show(opened, contents);
}

/** Closes the wallet. */
export function lock(): void {
	for (const { keeper } of keepers.values()) keeper.stop();
	keepers.clear();
	wallet?.request?.refuse();
	vault = null;
	change(null);
}

/** Changes what the vault keeps. */
export async function update(part: Partial<Contents>): Promise<void> {
	if (!wallet || !vault) return;
	const contents = { ...wallet.contents, ...part };
	change({ ...wallet, contents });
	await vault.save(contents);
}

/** Shows another account. */
export function choose(place: number): void {
	if (wallet?.accounts[place]) change({ ...wallet, chosen: place });
}

/** Takes the next account of the secret into use and shows it. */
export async function addAccount(): Promise<void> {
	if (!wallet || wallet.accounts.length >= MOST_ACCOUNTS) return;
	const { contents } = wallet;
	const index = Math.max(-1, ...contents.accounts.map((one) => one.index)) + 1;
	const account = await accountOf(contents.secret, index);
	const accounts = [...wallet.accounts, account];
	change({ ...wallet, accounts, chosen: accounts.length - 1 });
	await update({ accounts: [...contents.accounts, { index, name: "" }] });
}

/** Names an account. */
export function nameAccount(place: number, name: string): Promise<void> {
	const accounts = wallet?.contents.accounts.map((one, at) =>
		at === place ? { ...one, name } : one,
	);
	return update(accounts ? { accounts } : {});
}

/** What is known of an account. */
export const keptOf = (open: Wallet, address: string): Kept => open.kept.get(address) ?? NOTHING;

/** Every address that the person knows, by a name: the book, the own accounts, and whom this browser paid. */
export function known({ accounts, contents }: Wallet): Known[] {
	const own = accounts.map(({ address }, place) => ({
		address,
		name: contents.accounts[place]?.name || t("accounts.name", { n: place + 1 }),
	}));
	const paid = contents.history
		.filter(({ kind }) => kind !== "change")
		.map(({ other }) => ({ address: other, name: short(other) }));
	return [...contents.book, ...own, ...paid];
}

/** The person's name for an address. */
export const nameOf = (open: Wallet, address: string): string | undefined =>
	[
		...open.contents.book,
		...known({ ...open, contents: { ...open.contents, book: [], history: [] } }),
	].find((one) => one.address === address)?.name;

function remember(entry: HistoryEntry): void {
	const history = wallet?.contents.history ?? [];
	void update({ history: [entry, ...history].slice(0, MOST_HISTORY) });
}

function tell(address: string, news: News): void {
	if (!wallet) return;
	const kept = new Map(wallet.kept);
	kept.set(address, { ...keptOf(wallet, address), ...news });
	change({ ...wallet, kept });
}

/** Asks the person for a signature made elsewhere. */
function signElsewhere(
	unsigned: StateBlockJson,
	own: AccountAnswer,
	signal: AbortSignal,
): Promise<StateBlockJson> {
	return new Promise((resolve, reject) => {
		const end = () => wallet && change({ ...wallet, request: null });
		const refuse = () => {
			end();
			reject(new DOMException("The block was not signed.", "AbortError"));
		};
		const give = (signed: StateBlockJson) => {
			end();
			resolve(signed);
		};
		signal.addEventListener("abort", refuse, { once: true });
		if (wallet)
			change({ ...wallet, request: { unsigned, previous: frontierOf(own), give, refuse } });
	});
}

/** The block that a proof proves, if it is one that states its balance. */
function frontierOf(own: AccountAnswer): object | null {
	if (!own.proof) return null;
	const { frontier } = JSON.parse(own.proof.json()) as { frontier: { block?: object } };
	return frontier.block ?? null;
}

/** Looks after an account with a node; both stay what they were if they did not change. */
export function keep(node: NanoNode, account: OpenWallet): Keeper {
	const { address } = account;
	const before = keepers.get(address);
	if (before?.node === node) return before.keeper;
	before?.keeper.stop();
	const mayReceive = () => wallet?.contents.backedUp === true && account.privateKey !== null;
	const helpers = { published: remember, sign: signElsewhere };
	const keeper = new Keeper(node, account, mayReceive, helpers, (news) => tell(address, news));
	keepers.set(address, { node, keeper });
	return keeper;
}

/** How many accounts in a row without anything end the search for those in use. */
const GAP = 3;

/** Takes accounts into use that already have blocks or payments, as far as the network knows. */
export async function findAccounts(): Promise<number> {
	let found = 0;
	for (let misses = 0; wallet && misses < GAP && wallet.accounts.length < MOST_ACCOUNTS; ) {
		const { contents } = wallet;
		const index = Math.max(-1, ...contents.accounts.map((one) => one.index)) + 1 + misses;
		const account = await accountOf(contents.secret, index);
		const { answer } = await ask(account.address, { fresh: true });
		if (answer.state === "unopened" && answer.receivable.length === 0) {
			misses += 1;
			continue;
		}
		for (let next = index - misses; next <= index; next++) await addAccount();
		found += misses + 1;
		misses = 0;
	}
	return found;
}

/** Locks the wallet when nobody touched the page for as long as the person chose. */
export function watchIdleness(): () => void {
	let last = Date.now();
	const touched = () => {
		last = Date.now();
	};
	const events = ["pointerdown", "keydown", "pointermove", "wheel"] as const;
	for (const name of events) addEventListener(name, touched, { passive: true });
	const timer = setInterval(() => {
		if (wallet && Date.now() - last > settings().lockMinutes * 60_000) lock();
	}, 1_000);
	return () => {
		clearInterval(timer);
		for (const name of events) removeEventListener(name, touched);
	};
}
