// 24 words can be a Nano seed or a BIP39 phrase, and open a different account as each: the person says which.

import { useEffect, useState } from "preact/hooks";
import { Problem } from "../components/problem.js";
import { nanoExact, short } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { useSession } from "../lib/session.js";
import { accountOf, type Secret } from "../lib/wallet.js";

/** What is known of the first account that a secret opens. */
interface Found {
	address: string;
	balance: string;
}

/** Shows what each reading of the words opens, with its balance, and lets the person choose. */
export function SecretChoice({
	secrets,
	choose,
	busy,
	problem,
	back,
}: {
	secrets: Secret[];
	choose: (place: number) => void;
	busy: boolean;
	problem: string | null;
	back: () => void;
}) {
	const { node } = useSession();
	const [found, setFound] = useState<Record<number, Found>>({});
	useEffect(() => {
		const controller = new AbortController();
		const look = async (secret: Secret, place: number) => {
			const { address } = await accountOf(secret, 0);
			const tell = (balance: string) => {
				if (!controller.signal.aborted) {
					setFound((before) => ({ ...before, [place]: { address, balance } }));
				}
			};
			tell(t("choice.looking"));
			try {
				const answer = await node?.account(address, { fresh: true, signal: controller.signal });
				if (answer?.state === "opened") tell(`Ӿ ${nanoExact(answer.balance)}`);
				else tell(t(answer?.state === "unopened" ? "choice.unopened" : "choice.unknown"));
			} catch {
				tell(t("choice.nobody"));
			}
		};
		secrets.forEach((secret, place) => void look(secret, place));
		return () => controller.abort();
	}, [node, secrets]);
	return (
		<div class="narrow">
			<div class="card">
				<h2>{t("choice.heading")}</h2>
				<p>{t("choice.lead")}</p>
				<ul class="rows choices">
					{secrets.map((secret, place) => (
						<li key={secret.kind}>
							<strong>{t(secret.kind === "nano" ? "choice.nano" : "choice.bip39")}</strong>
							{found[place] && (
								<span class="quiet">
									<code dir="ltr" title={found[place]?.address}>
										{short(found[place]?.address ?? "")}
									</code>{" "}
									· {found[place]?.balance}
								</span>
							)}
							<button type="button" disabled={busy} onClick={() => choose(place)}>
								{t("choice.open")}
							</button>
						</li>
					))}
				</ul>
				<p class="buttons">
					<button type="button" disabled={busy} onClick={back}>
						{t("new.back")}
					</button>
				</p>
				<Problem text={problem} />
			</div>
		</div>
	);
}
