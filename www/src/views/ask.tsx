// Ask any address for its balance, and see the proof.
//
// States: nothing asked -> asking -> answered | failed. A newer question replaces an older one.

import { useEffect, useRef, useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Proof, spoken } from "../components/proof.js";
import { nanoExact, short, shortHash } from "../lib/format.js";
import { ask, type Heard, useNow, useSession } from "../lib/session.js";
import { loadCore } from "../lib/wallet.js";

type State =
	| { step: "empty" }
	| { step: "asking"; address: string }
	| { step: "answered"; heard: Heard; wantedFresh: boolean }
	| { step: "failed"; message: string };

/** The ask view. */
export function AskView({ shown }: { shown: boolean }) {
	const { bridge, heard } = useSession();
	const now = useNow();
	const [text, setText] = useState("");
	const [state, setState] = useState<State>({ step: "empty" });
	const running = useRef<AbortController | null>(null);
	const field = useRef<HTMLInputElement>(null);

	useEffect(() => {
		if (shown) field.current?.focus({ preventScroll: true });
	}, [shown]);

	const submit = async (given: string, fresh = false) => {
		running.current?.abort();
		const controller = new AbortController();
		running.current = controller;
		const finish = (next: State) => {
			if (!controller.signal.aborted) setState(next);
		};
		try {
			const { parseAddress } = await loadCore();
			const { address } = parseAddress(given.trim());
			finish({ step: "asking", address });
			const heard = await ask(address, { fresh, signal: controller.signal });
			finish({ step: "answered", heard, wantedFresh: fresh });
		} catch (error) {
			finish({ step: "failed", message: error instanceof Error ? error.message : String(error) });
		}
	};

	const samples = [
		...(bridge?.samples ?? []),
		...heard.map(({ answer }) => ({ name: short(answer.account), account: answer.account })),
	].filter(
		(sample, index, all) => all.findIndex((other) => other.account === sample.account) === index,
	);

	return (
		<div class="narrow">
			<div class="card">
				<h2>Ask for a balance</h2>
				<form
					onSubmit={(event) => {
						event.preventDefault();
						void submit(text);
					}}
				>
					<label for="address">Nano address</label>
					<div class="field">
						<input
							id="address"
							ref={field}
							value={text}
							onInput={(event) => setText(event.currentTarget.value)}
							placeholder="nano_…"
							autocomplete="off"
							autocapitalize="off"
							spellcheck={false}
							required
						/>
						<button type="submit" class="primary" disabled={state.step === "asking"}>
							Ask
						</button>
					</div>
				</form>
				{samples.length > 0 && (
					<p class="chips">
						<span class="quiet">Try:</span>
						{samples.slice(0, 6).map((sample) => (
							<button
								key={sample.account}
								type="button"
								class="chip"
								title={sample.account}
								onClick={() => {
									setText(sample.account);
									void submit(sample.account);
								}}
							>
								{sample.name}
							</button>
						))}
					</p>
				)}
			</div>
			<p class="visually-hidden" role="status">
				{state.step === "asking" && "Asking the network."}
				{state.step === "answered" && spoken(state.heard.answer)}
			</p>
			<div>
				{state.step === "asking" && (
					<div class="card loading">
						<p>
							Asking the network for <code>{short(state.address)}</code>…
						</p>
					</div>
				)}
				{state.step === "failed" && (
					<div class="card">
						<p class="banner bad" role="alert">
							{state.message}
						</p>
					</div>
				)}
				{state.step === "answered" && (
					<Answer
						heard={state.heard}
						wantedFresh={state.wantedFresh}
						now={now}
						again={() => submit(state.heard.answer.account, true)}
					/>
				)}
			</div>
		</div>
	);
}

/** An answer with its proof. */
function Answer({
	heard,
	wantedFresh,
	now,
	again,
}: {
	heard: Heard;
	wantedFresh: boolean;
	now: number;
	again: () => void;
}) {
	const { answer, tookMs } = heard;
	return (
		<article class={`card ${answer.proof ? "proven" : "unproven"}`}>
			<h3>
				<Copy text={answer.account} shown={short(answer.account)} name="the address" />
			</h3>
			<p class="balance">
				{answer.state === "opened" && (
					<>
						<span class="unit">Ӿ</span> {nanoExact(answer.balance)}
					</>
				)}
				{answer.state === "unopened" && "Never opened"}
				{answer.state === "unknown" && "Balance unknown"}
			</p>
			<Proof answer={answer} now={now} />
			{wantedFresh && !answer.fresh && (
				<p class="note">
					No bridge could ask the full nodes just now. This is what the network's memory holds.
				</p>
			)}
			{answer.receivable.length > 0 && (
				<div>
					<h4>Sent to it</h4>
					<p class="quiet">Each is proven to have been sent; some may have been received since.</p>
					<ul class="rows">
						{answer.receivable.map((incoming) => (
							<li key={incoming.hash}>
								<strong>Ӿ {nanoExact(incoming.amount)}</strong>
								<span class="quiet">
									from <code title={incoming.source}>{short(incoming.source)}</code>
								</span>
							</li>
						))}
					</ul>
				</div>
			)}
			<dl class="facts">
				{answer.frontier && (
					<>
						<dt>Newest block</dt>
						<dd>
							<Copy
								text={answer.frontier}
								shown={shortHash(answer.frontier)}
								name="the block hash"
							/>
						</dd>
					</>
				)}
				{answer.representative && (
					<>
						<dt>Representative</dt>
						<dd>
							<Copy
								text={answer.representative}
								shown={short(answer.representative)}
								name="the representative"
							/>
						</dd>
					</>
				)}
				<dt>Answered in</dt>
				<dd>{Math.round(tookMs)} ms</dd>
			</dl>
			<p>
				<button type="button" onClick={again}>
					Ask again, past the network's memory
				</button>
			</p>
		</article>
	);
}
