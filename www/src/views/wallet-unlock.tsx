// The wallet's door: the password, and the way to remove the wallet from this browser.

import { useState } from "preact/hooks";
import { Password } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { explain, t } from "../lib/i18n.js";
import { forget } from "../lib/vault.js";
import { openWallet } from "../lib/wallet-store.js";

/** Asks for the password. */
export function Unlock({ forgotten }: { forgotten: () => void }) {
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const [sure, setSure] = useState(false);
	const unlock = async () => {
		setBusy(true);
		setProblem(null);
		try {
			await openWallet(password);
		} catch (error) {
			setProblem(explain(error));
			setBusy(false);
		}
	};
	return (
		<div class="narrow">
			<form
				class="card"
				onSubmit={(event) => {
					event.preventDefault();
					void unlock();
				}}
			>
				<h2>{t("unlock.heading")}</h2>
				<Password value={password} set={setPassword} />
				<p class="buttons">
					<button type="submit" class="primary" disabled={busy}>
						{busy ? t("unlock.busy") : t("unlock.do")}
					</button>
				</p>
				<Problem text={problem} />
				<details>
					<summary>{t("unlock.remove")}</summary>
					<p>{t("unlock.removeWhy")}</p>
					<label class="check">
						<input
							type="checkbox"
							checked={sure}
							onChange={(event) => setSure(event.currentTarget.checked)}
						/>
						{t("unlock.sure")}
					</label>
					<button
						type="button"
						class="danger"
						disabled={!sure}
						onClick={() => {
							forget();
							forgotten();
						}}
					>
						{t("unlock.removeDo")}
					</button>
				</details>
			</form>
		</div>
	);
}
