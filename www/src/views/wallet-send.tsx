// Sending: who, how much, then each step until the proof of the block is there.
//
// What is typed, pasted or scanned may be a whole `nano:` link. An address that is easily mistaken for one the person
// knows is not paid to before they say that they compared it.

import { useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { Scan } from "../components/scan.js";
import { suspicion } from "../lib/address-check.js";
import { nanoExact, nanoPlain, short, shortHash } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import { readNanoLink } from "../lib/nano-link.js";
import type { OwnAccount, Progress } from "../lib/own-account.js";
import { loadCore } from "../lib/wallet.js";
import { known, type Wallet } from "../lib/wallet-store.js";
import { isHighValue } from "../lib/worth.js";
import { ProgressLine } from "./wallet-progress.js";

type Unit = "nano" | "raw";
/** Names of the address book offered at once; others are in the book. */
const CHIPS = 12;

/** What is typed as an amount, in raw; nothing while it is none. */
function rawOf(amount: string, unit: Unit): bigint | null {
	const text = amount.trim();
	if (unit === "raw") return /^\d{1,39}$/.test(text) ? BigInt(text) : null;
	const [, whole = "", part = ""] = /^(\d{1,9})(?:\.(\d{0,30}))?$/.exec(text) ?? [];
	return whole === "" ? null : BigInt(whole + part.padEnd(30, "0"));
}

/** The form for a payment. */
export function Send({
	wallet,
	account,
	balance,
	workReady,
	sent,
}: {
	wallet: Wallet;
	account: OwnAccount;
	/** What is known to be there, in raw. */
	balance: bigint | null;
	/** Whether the work of the next block is there. */
	workReady: boolean;
	sent: () => void;
}) {
	const [to, setTo] = useState("");
	const [amount, setAmount] = useState("");
	const [unit, setUnit] = useState<Unit>("nano");
	const [message, setMessage] = useState("");
	const [compared, setCompared] = useState(false);
	const [progress, setProgress] = useState<Progress | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const [running, setRunning] = useState<AbortController | null>(null);

	/** Takes what was typed, pasted or scanned apart if it is a link. */
	const take = (text: string) => {
		const link = text.includes(":") || text.includes("?") ? readNanoLink(text) : undefined;
		setCompared(false);
		setTo(link?.address ?? text);
		setMessage(link?.message ?? "");
		if (link?.amount) {
			setUnit("nano");
			setAmount(nanoPlain(link.amount));
		}
	};
	const doubt = to.trim() === "" ? undefined : suspicion(to.trim(), known(wallet));
	const blocked = doubt?.kind === "alike" && !compared;
	const raw = rawOf(amount, unit);

	const submit = async () => {
		const controller = new AbortController();
		const tell = (at: Progress) => {
			if (!controller.signal.aborted) setProgress(at);
		};
		setRunning(controller);
		setProblem(null);
		setProgress(null);
		try {
			const { nanoToRaw } = await loadCore();
			const value = raw ?? nanoToRaw(amount.trim());
			await account.send(to.trim(), value, tell, controller.signal);
			if (!controller.signal.aborted) leave();
			sent();
		} catch (error) {
			if (controller.signal.aborted) return;
			setProgress(null);
			setProblem(explain(error));
			setRunning(null);
		}
	};
	/** The form is free for the next payment; a block that was published stays on its way. */
	const leave = () => {
		take("");
		setAmount("");
		setRunning(null);
	};
	const stop = () => {
		running?.abort();
		setProgress(null);
		if (progress?.step === "publishing") leave();
		else setRunning(null);
	};
	return (
		<form
			class="card"
			onFocusIn={() => account.prepare()}
			onInput={() => account.prepare()}
			onPointerEnter={() => account.prepare()}
			onSubmit={(event) => {
				event.preventDefault();
				void submit();
			}}
		>
			<h2>{t("send.heading")}</h2>
			<Field id="to" label={t("send.to")} value={to} set={take} placeholder="nano_…" required />
			{wallet.contents.book.length > 0 && (
				<p class="chips">
					{wallet.contents.book.slice(0, CHIPS).map(({ address, name }) => (
						<button
							key={address}
							type="button"
							class="chip payee"
							title={address}
							onClick={() => take(address)}
						>
							{name}
						</button>
					))}
				</p>
			)}
			<Scan name={t("send.scan")} found={take} />
			{message && (
				<p class="note">
					{t("send.message")} <q dir="auto">{message}</q>
				</p>
			)}
			{doubt?.kind === "foreign" && (
				<p class="note" role="status">
					{t("send.foreign", { character: doubt.character })}
				</p>
			)}
			{doubt?.kind === "alike" && (
				<div class="banner bad" role="alert">
					<p>{t("send.alike", { name: doubt.name })}</p>
					<p>
						<code dir="ltr">{doubt.address}</code>
					</p>
					<label class="check">
						<input
							type="checkbox"
							checked={compared}
							onChange={(event) => setCompared(event.currentTarget.checked)}
						/>
						{t("send.compared")}
					</label>
				</div>
			)}
			<Field
				id="amount"
				label={t(unit === "nano" ? "send.amountNano" : "send.amountRaw")}
				value={amount}
				set={setAmount}
				inputMode="decimal"
				placeholder="0.0"
				required
			>
				<select
					aria-label={t("send.unit")}
					value={unit}
					onChange={(event) => setUnit(event.currentTarget.value as Unit)}
				>
					<option value="nano">nano</option>
					<option value="raw">raw</option>
				</select>
				<button
					type="button"
					disabled={balance === null}
					onClick={() => {
						setUnit("nano");
						setAmount(nanoPlain(balance ?? 0n));
					}}
				>
					{t("send.all")}
				</button>
			</Field>
			{unit === "raw" && raw !== null && <p class="quiet">Ӿ {nanoExact(raw)}</p>}
			{raw !== null && isHighValue(raw) && <p class="note high-value">{t("send.highValue")}</p>}
			<p class="buttons">
				<button type="submit" class="primary" disabled={running !== null || blocked}>
					{t("send.do")}
				</button>
				{running && (
					<button type="button" onClick={stop}>
						{t(progress?.step === "publishing" ? "send.stopWaiting" : "send.cancel")}
					</button>
				)}
			</p>
			{workReady && !running && <p class="quiet work-ready">{t("send.workReady")}</p>}
			{progress && <ProgressLine progress={progress} verb={t("progress.sending")} />}
			{progress?.step === "publishing" && <p class="quiet">{t("send.final")}</p>}
			{progress?.step === "confirmed" && (
				<p class="quiet">{t("send.block", { hash: shortHash(progress.hash) })}</p>
			)}
			<Problem text={problem} />
			{doubt === undefined && known(wallet).some(({ address }) => address === to.trim()) && (
				<p class="quiet">
					{t("send.known", {
						name: known(wallet).find(({ address }) => address === to.trim())?.name ?? short(to),
					})}
				</p>
			)}
		</form>
	);
}
