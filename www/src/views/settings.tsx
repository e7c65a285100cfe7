// What a person can choose for this browser.

import { useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { LanguageChoice } from "../components/language-choice.js";
import { Problem } from "../components/problem.js";
import { nanoPlain } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import { change, MOST_LOCK_MINUTES, settings } from "../lib/settings.js";
import { loadCore } from "../lib/wallet.js";

/** The settings view. */
export function SettingsView() {
	const [minutes, setMinutes] = useState(String(settings().lockMinutes));
	const [minimum, setMinimum] = useState(nanoPlain(BigInt(settings().receiveMinimum)));
	const [high, setHigh] = useState(nanoPlain(BigInt(settings().highValue)));
	const [saved, setSaved] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const save = async () => {
		setSaved(false);
		try {
			const { nanoToRaw } = await loadCore();
			change({
				lockMinutes: Number(minutes),
				receiveMinimum: nanoToRaw(minimum.trim()).toString(),
				highValue: nanoToRaw(high.trim()).toString(),
			});
			setProblem(null);
			setSaved(true);
		} catch (error) {
			setProblem(explain(error));
		}
	};
	return (
		<div class="narrow">
			<div class="card">
				<h2>{t("settings.language")}</h2>
				<LanguageChoice />
			</div>
			<form
				class="card"
				onInput={() => setSaved(false)}
				onSubmit={(event) => {
					event.preventDefault();
					void save();
				}}
			>
				<h2>{t("settings.wallet")}</h2>
				<Field
					id="lock-minutes"
					label={t("settings.lock")}
					value={minutes}
					set={setMinutes}
					type="number"
					min={1}
					max={MOST_LOCK_MINUTES}
					required
				/>
				<Field
					id="receive-minimum"
					label={t("settings.minimum")}
					value={minimum}
					set={setMinimum}
					inputMode="decimal"
					required
				/>
				<p class="quiet">{t("settings.minimumWhy")}</p>
				<Field
					id="high-value"
					label={t("settings.high")}
					value={high}
					set={setHigh}
					inputMode="decimal"
					required
				/>
				<p class="quiet">{t("settings.highWhy")}</p>
				<p class="buttons">
					<button type="submit" class="primary">
						{t("settings.save")}
					</button>
					<span role="status">{saved && t("settings.saved")}</span>
				</p>
				<Problem text={problem} />
			</form>
		</div>
	);
}
