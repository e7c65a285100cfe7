// The choice of a language, each in its own words.

import { useState } from "preact/hooks";
import { explain, LANGUAGES, type Language, setLanguage, t, useLanguage } from "../lib/i18n.js";
import { Problem } from "./problem.js";

/** A list of the languages there are. */
export function LanguageChoice() {
	const language = useLanguage();
	const [problem, setProblem] = useState<string | null>(null);
	const choose = (code: string) =>
		setLanguage(code as Language).then(
			() => setProblem(null),
			(error) => setProblem(explain(error)),
		);
	return (
		<div class="language">
			<label for="language">{t("settings.language")}</label>
			<select
				id="language"
				value={language}
				onChange={(event) => void choose(event.currentTarget.value)}
			>
				{Object.entries(LANGUAGES).map(([code, name]) => (
					<option key={code} value={code} lang={code}>
						{name}
					</option>
				))}
			</select>
			<Problem text={problem} />
		</div>
	);
}
