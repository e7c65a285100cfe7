// Test coins of a development network.

import { useState } from "preact/hooks";
import { Problem } from "../components/problem.js";
import { explain, t } from "../lib/i18n.js";

/** The button that asks the bridge's faucet. */
export function Faucet({ address, done }: { address: string; done: () => void }) {
	const [asking, setAsking] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const get = async () => {
		setAsking(true);
		setProblem(null);
		try {
			const response = await fetch("/v1/faucet", {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify({ account: address }),
			});
			if (!response.ok) {
				throw new Error((await response.json()).message ?? `status ${response.status}`);
			}
			done();
		} catch (error) {
			setProblem(explain(error));
		}
		setAsking(false);
	};
	return (
		<div class="faucet">
			<button type="button" disabled={asking} onClick={() => void get()}>
				{asking ? t("faucet.asking") : t("faucet.get")}
			</button>
			<Problem text={problem} />
		</div>
	);
}
