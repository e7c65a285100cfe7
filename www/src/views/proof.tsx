// A proof that somebody sent, opened and checked here, with or without a network and before any node runs.
//
// States: checking -> held | refused with the reason. Another link replaces it.

import { useEffect, useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Problem } from "../components/problem.js";
import { WeightBar } from "../components/weight-bar.js";
import { moment, nano, nanoExact, percent, short, shortHash } from "../lib/format.js";
import { explain, maybe, t } from "../lib/i18n.js";
import { fromFragment, type OpenedProof, opened } from "../lib/proof-link.js";
import { isHighValue, staleLimit } from "../lib/worth.js";

type State =
	| { step: "checking" }
	| { step: "held"; proof: OpenedProof }
	| { step: "refused"; why: string };

/** Why a proof was refused, in the person's language where that is known. */
export function refusal(error: unknown): string {
	const code = (error as { code?: string } | null)?.code ?? "";
	return maybe(`refused.${code}`) ?? explain(error);
}

/** The proof that the address holds. */
export function ProofView() {
	const [fragment, setFragment] = useState(location.hash);
	const [state, setState] = useState<State>({ step: "checking" });
	useEffect(() => {
		const follow = () => setFragment(location.hash);
		addEventListener("hashchange", follow);
		return () => removeEventListener("hashchange", follow);
	}, []);
	useEffect(() => {
		let over = false;
		const check = async () => {
			setState({ step: "checking" });
			const proof = await opened(fromFragment(fragment));
			if (!over) setState({ step: "held", proof });
		};
		check().catch((error) => {
			if (!over) setState({ step: "refused", why: refusal(error) });
		});
		return () => {
			over = true;
		};
	}, [fragment]);
	return (
		<section class="narrow" aria-labelledby="title-proof">
			<h1 class="visually-hidden" id="title-proof" tabIndex={-1}>
				{t("proof.title")}
			</h1>
			<div class="card">
				<h2>{t("proof.heading")}</h2>
				{state.step === "checking" && <p class="loading">{t("proof.checking")}</p>}
				{state.step === "refused" && (
					<>
						<p class="balance refused">{t("proof.refused")}</p>
						<Problem text={state.why} />
						<p class="quiet">{t("proof.refusedWhy")}</p>
					</>
				)}
				{state.step === "held" && <Held {...state.proof} />}
			</div>
		</section>
	);
}

function Held({ network, proven }: OpenedProof) {
	const { networkTotal, weight, threshold, votes, weightsAsOf } = proven;
	const below = staleLimit(weightsAsOf, Date.now());
	const good = below === null || proven.balance < below;
	return (
		<div class="proof">
			<h3>
				<Copy text={proven.account} shown={short(proven.account)} label={t("copy.address")} />
			</h3>
			<p class="balance">
				<span class="unit">Ӿ</span> {nanoExact(proven.balance)}
			</p>
			<p class={`verdict ${good ? "good" : "wait"}`} role="status">
				<span class="tick" aria-hidden="true">
					{good ? "✓" : "!"}
				</span>
				<span>
					<strong>
						{good ? t("proof.held") : t("answer.tooHigh", { amount: nano(below ?? 0n) })}
					</strong>{" "}
					{t("proof.votes", {
						n: votes.length,
						share: percent(weight, networkTotal),
						needed: percent(threshold, networkTotal),
					})}
				</span>
			</p>
			<WeightBar proof={proven} />
			{isHighValue(proven.balance) && <p class="note">{t("answer.highValue")}</p>}
			<p class="note">{t("proof.notNewest")}</p>
			<dl class="facts">
				<dt>{t("proof.block")}</dt>
				<dd>
					<Copy text={proven.frontier} shown={shortHash(proven.frontier)} label={t("copy.hash")} />
				</dd>
				<dt>{t("answer.weightsAsOf")}</dt>
				<dd>{moment(weightsAsOf)}</dd>
				<dt>{t("proof.network")}</dt>
				<dd>{t(`network.${network}`)}</dd>
			</dl>
			<p>
				<a href={`#ask=${proven.account}`}>{t("proof.ask")}</a>
			</p>
		</div>
	);
}
