// Ask any address for its balance, and see the proof. A name from the address book, a `nano:` link, a QR code and a
// proof that somebody sent are as good; a link `#ask=nano_…` asks at once.
//
// States: nothing asked -> asking -> answered | failed. A newer question replaces an older one.

import { useEffect, useRef, useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Problem } from "../components/problem.js";
import { Proof, spoken } from "../components/proof.js";
import { Scan } from "../components/scan.js";
import { ShareProof } from "../components/share-proof.js";
import { nanoExact, short, shortHash } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import { readNanoLink } from "../lib/nano-link.js";
import { fromFile, linkOf, PROOF_FILE, PROOF_FRAGMENT } from "../lib/proof-link.js";
import { accountOfBlock, ask, type Heard, useNow, useSession } from "../lib/session.js";
import { loadCore } from "../lib/wallet.js";
import { useWallet } from "../lib/wallet-store.js";

type State =
	| { step: "empty" }
	| { step: "asking"; address: string }
	| { step: "answered"; heard: Heard; wantedFresh: boolean; byBlock: boolean }
	| { step: "failed"; message: string };

/** How the fragment of a link that asks begins. */
export const ASK_FRAGMENT = "#ask=";

const HASH = /^[0-9a-f]{64}$/i;

/** The ask view. */
export function AskView({ shown }: { shown: boolean }) {
	const { bridge, heard } = useSession();
	const wallet = useWallet();
	const now = useNow();
	const [text, setText] = useState("");
	const [state, setState] = useState<State>({ step: "empty" });
	const running = useRef<AbortController | null>(null);
	const field = useRef<HTMLInputElement>(null);
	const book = wallet?.contents.book ?? [];

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
			const named = book.find(({ name }) => name.toLowerCase() === given.trim().toLowerCase());
			const byBlock = HASH.test(given.trim());
			const wanted = byBlock
				? await accountOfBlock(given.trim())
				: (named?.address ?? readNanoLink(given)?.address ?? given.trim());
			const { address } = parseAddress(wanted);
			finish({ step: "asking", address });
			const answer = await ask(address, { fresh, signal: controller.signal });
			finish({ step: "answered", heard: answer, wantedFresh: fresh, byBlock });
		} catch (error) {
			finish({ step: "failed", message: explain(error) });
		}
	};
	const take = (given: string) => {
		// A scanned proof link is opened as if it had been clicked.
		const proof = given.indexOf(PROOF_FRAGMENT);
		if (proof >= 0) {
			location.hash = given.slice(proof);
			return;
		}
		setText(given);
		void submit(given);
	};
	useEffect(() => {
		const follow = () => {
			if (location.hash.startsWith(ASK_FRAGMENT)) take(location.hash.slice(ASK_FRAGMENT.length));
		};
		follow();
		addEventListener("hashchange", follow);
		return () => removeEventListener("hashchange", follow);
	}, []);
	const openFile = async (file: File | undefined) => {
		if (!file) return;
		try {
			location.hash = new URL(linkOf(await fromFile(file))).hash;
		} catch (error) {
			setState({ step: "failed", message: explain(error) });
		}
	};

	const samples = [
		...book.map(({ name, address }) => ({ name, account: address })),
		...(bridge?.samples ?? []).map(({ account, name }) => ({ account, name })),
		...heard.map(({ answer }) => ({ name: short(answer.account), account: answer.account })),
	].filter(
		(sample, index, all) => all.findIndex((other) => other.account === sample.account) === index,
	);

	return (
		<div class="narrow">
			<div class="card">
				<h2>{t("ask.title")}</h2>
				<form
					onSubmit={(event) => {
						event.preventDefault();
						void submit(text);
					}}
				>
					<label for="address">{t("ask.address")}</label>
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
							dir="auto"
							required
						/>
						<button type="submit" class="primary" disabled={state.step === "asking"}>
							{t("ask.do")}
						</button>
					</div>
				</form>
				{samples.length > 0 && (
					<p class="chips">
						<span class="quiet">{t("ask.try")}</span>
						{samples.slice(0, 6).map((sample) => (
							<button
								key={sample.account}
								type="button"
								class="chip"
								title={sample.account}
								onClick={() => take(sample.account)}
							>
								{sample.name}
							</button>
						))}
					</p>
				)}
				<div class="buttons">
					<Scan name={t("ask.scan")} found={take} />
					<label class="file">
						{t("ask.file")}
						<input
							type="file"
							accept={PROOF_FILE}
							onChange={(event) => void openFile(event.currentTarget.files?.[0])}
						/>
					</label>
				</div>
			</div>
			<p class="visually-hidden" role="status">
				{state.step === "asking" && t("ask.asking")}
				{state.step === "answered" && spoken(state.heard.answer)}
			</p>
			<div>
				{state.step === "asking" && (
					<div class="card loading">
						<p>
							{t("ask.askingFor")} <code dir="ltr">{short(state.address)}</code>…
						</p>
					</div>
				)}
				{state.step === "failed" && (
					<div class="card">
						<Problem text={state.message} />
					</div>
				)}
				{state.step === "answered" && state.byBlock && <p class="note">{t("ask.byBlock")}</p>}
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
	const { node } = useSession();
	const { answer, tookMs } = heard;
	return (
		<article class={`card ${answer.proof ? "proven" : "unproven"}`}>
			<h3>
				<Copy text={answer.account} shown={short(answer.account)} label={t("copy.address")} />
			</h3>
			<p class="balance">
				{answer.state === "opened" && (
					<>
						<span class="unit">Ӿ</span> {nanoExact(answer.balance)}
					</>
				)}
				{answer.state === "unopened" && t("answer.neverOpened")}
				{answer.state === "unknown" && t("answer.balanceUnknown")}
			</p>
			<Proof answer={answer} now={now} />
			{wantedFresh && !answer.fresh && <p class="note">{t("answer.notFresh")}</p>}
			{answer.receivable.length > 0 && (
				<div>
					<h4>{t("answer.sentTo")}</h4>
					<p class="quiet">{t("answer.sentToWhy")}</p>
					<ul class="rows">
						{answer.receivable.map((incoming) => (
							<li key={incoming.hash}>
								<strong>Ӿ {nanoExact(incoming.amount)}</strong>
								<span class="quiet">
									{t("answer.sender")}{" "}
									<code dir="ltr" title={incoming.source}>
										{short(incoming.source)}
									</code>
								</span>
							</li>
						))}
					</ul>
				</div>
			)}
			<dl class="facts">
				{answer.frontier && (
					<>
						<dt>{t("answer.block")}</dt>
						<dd>
							<Copy
								text={answer.frontier}
								shown={shortHash(answer.frontier)}
								label={t("copy.hash")}
							/>
						</dd>
					</>
				)}
				{answer.representative && (
					<>
						<dt>{t("answer.representative")}</dt>
						<dd>
							<Copy
								text={answer.representative}
								shown={short(answer.representative)}
								label={t("copy.representative")}
							/>
						</dd>
					</>
				)}
				<dt>{t("answer.took")}</dt>
				<dd>{Math.round(tookMs)} ms</dd>
			</dl>
			{node && answer.proof && (
				<ShareProof key={answer.frontier} answer={answer} network={node.network} />
			)}
			<p>
				<button type="button" onClick={again}>
					{t("ask.again")}
				</button>
			</p>
		</article>
	);
}
