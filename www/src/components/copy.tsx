// A long text that can be copied whole.

import { useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n.js";

/** How long the outcome is shown. */
const SAID_MS = 4_000;

/** Shows `shown`, copies `text`; `label` is what a screen reader calls the button. */
export function Copy({ text, shown, label }: { text: string; shown?: string; label: string }) {
	const [said, say] = useState<"copied" | "selected" | null>(null);
	const place = useRef<HTMLElement>(null);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			say("copied");
		} catch {
			// Not allowed here: with the whole text selected the person's own keys copy it.
			if (place.current) getSelection()?.selectAllChildren(place.current);
			say("selected");
		}
		setTimeout(() => say(null), SAID_MS);
	};
	return (
		<span class="copy">
			<code title={text} ref={place} dir="ltr">
				{said === "selected" ? text : (shown ?? text)}
			</code>
			<button type="button" class="small" onClick={copy} aria-label={label}>
				{said === null ? t("copy.do") : t(`copy.${said}`)}
			</button>
		</span>
	);
}
