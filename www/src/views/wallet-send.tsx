// Sending: who, how much, then each step until the proof of the block is there.

import { useState } from "preact/hooks";
import { nanoExact, shortHash } from "../lib/format.js";
import type { OwnAccount, Progress } from "../lib/own-account.js";
import { useSession } from "../lib/session.js";
import { whereItStands } from "../lib/transactions.js";
import { loadCore } from "../lib/wallet.js";

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A block's way in one line, with a bar while work is computed. */
export function ProgressLine({ progress, verb }: { progress: Progress; verb: string }) {
	const { transactions } = useSession();
	const line = {
		queued: `${verb}: it is next once what is on its way for this account is decided`,
		working: `${verb}: your processor computes the work`,
		publishing: `${verb}: ${whereItStands("hash" in progress ? transactions.get(progress.hash) : undefined)}`,
		confirmed: "Confirmed, with a proof that this tab has checked",
	}[progress.step];
	return (
		<div class={`progress ${progress.step}`} role="status">
			<p>{line}</p>
			{progress.step === "working" ? (
				<progress
					max={1}
					value={progress.fraction}
					aria-label="Chance that the work is done by now"
				/>
			) : (
				progress.step === "publishing" && <progress aria-label="Waiting for votes" />
			)}
		</div>
	);
}

/** The form for a payment. */
export function Send({
	account,
	balance,
	workReady,
	sent,
}: {
	account: OwnAccount;
	/** What is known to be there, in raw. */
	balance: bigint | null;
	/** Whether the work of the next block is there. */
	workReady: boolean;
	sent: () => void;
}) {
	const [to, setTo] = useState("");
	const [amount, setAmount] = useState("");
	const [progress, setProgress] = useState<Progress | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const [running, setRunning] = useState<AbortController | null>(null);

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
			await account.send(to.trim(), nanoToRaw(amount.trim()), tell, controller.signal);
			if (!controller.signal.aborted) leave();
			sent();
		} catch (error) {
			if (controller.signal.aborted) return;
			setProgress(null);
			setProblem(text(error));
			setRunning(null);
		}
	};
	/** The form is free for the next payment; a block that was published stays on its way. */
	const leave = () => {
		setTo("");
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
			<h2>Send</h2>
			<label for="to">To</label>
			<input
				id="to"
				value={to}
				onInput={(event) => setTo(event.currentTarget.value)}
				placeholder="nano_…"
				autocomplete="off"
				spellcheck={false}
				required
			/>
			<label for="amount">Amount in nano</label>
			<div class="field">
				<input
					id="amount"
					value={amount}
					onInput={(event) => setAmount(event.currentTarget.value)}
					inputMode="decimal"
					placeholder="0.0"
					autocomplete="off"
					required
				/>
				<button
					type="button"
					disabled={balance === null}
					onClick={() => setAmount(nanoExact(balance ?? 0n).replaceAll(",", ""))}
				>
					All
				</button>
			</div>
			<p class="buttons">
				<button type="submit" class="primary" disabled={running !== null}>
					Send
				</button>
				{running && (
					<button type="button" onClick={stop}>
						{progress?.step === "publishing" ? "Stop waiting" : "Cancel"}
					</button>
				)}
			</p>
			{workReady && !running && (
				<p class="quiet work-ready">The work for your next payment is done: it leaves at once.</p>
			)}
			{progress && <ProgressLine progress={progress} verb="Sending" />}
			{progress?.step === "publishing" && (
				<p class="quiet">
					It cannot be taken back. You need not wait: it is stored here, and this tab sends it again
					until it is decided.
				</p>
			)}
			{progress?.step === "confirmed" && <p class="quiet">Block {shortHash(progress.hash)}</p>}
			{problem && (
				<p class="banner bad" role="alert">
					{problem}
				</p>
			)}
		</form>
	);
}
