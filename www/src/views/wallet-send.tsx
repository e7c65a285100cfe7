// Sending: who, how much, then each step until the proof of the block is there.

import { useState } from "preact/hooks";
import { nanoExact, shortHash } from "../lib/format.js";
import { useSession } from "../lib/session.js";
import { loadCore, type OpenWallet, type Progress, send } from "../lib/wallet.js";

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A block's way in one line, with a bar while work is computed. */
export function ProgressLine({ progress, verb }: { progress: Progress; verb: string }) {
	const line = {
		working: `${verb}: your processor computes the work`,
		publishing: `${verb}: sent to the network, waiting for the votes`,
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
	wallet,
	balance,
	sent,
}: {
	wallet: OpenWallet;
	balance: bigint;
	sent: () => void;
}) {
	const { node } = useSession();
	const [to, setTo] = useState("");
	const [amount, setAmount] = useState("");
	const [progress, setProgress] = useState<Progress | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const [running, setRunning] = useState<AbortController | null>(null);

	const submit = async () => {
		if (!node) return;
		const controller = new AbortController();
		setRunning(controller);
		setProblem(null);
		setProgress(null);
		try {
			const { nanoToRaw } = await loadCore();
			await send(node, wallet, to.trim(), nanoToRaw(amount.trim()), setProgress, controller.signal);
			setTo("");
			setAmount("");
			sent();
		} catch (error) {
			setProgress(null);
			if (!controller.signal.aborted) setProblem(text(error));
		}
		setRunning(null);
	};
	const working = running !== null && progress?.step !== "publishing";
	return (
		<form
			class="card"
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
				<button type="button" onClick={() => setAmount(nanoExact(balance).replaceAll(",", ""))}>
					All
				</button>
			</div>
			<p class="buttons">
				<button type="submit" class="primary" disabled={running !== null || balance === 0n}>
					Send
				</button>
				{working && (
					<button type="button" onClick={() => running?.abort()}>
						Cancel
					</button>
				)}
			</p>
			{progress && <ProgressLine progress={progress} verb="Sending" />}
			{progress?.step === "confirmed" && <p class="quiet">Block {shortHash(progress.hash)}</p>}
			{problem && (
				<p class="banner bad" role="alert">
					{problem}
				</p>
			)}
		</form>
	);
}
