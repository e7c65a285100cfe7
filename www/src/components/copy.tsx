// A long text that can be copied whole.

import { useRef, useState } from "preact/hooks";

/** How long the outcome is shown. */
const SAID_MS = 4_000;

/** Shows `shown`, copies `text`. */
export function Copy({ text, shown, name }: { text: string; shown?: string; name: string }) {
	const [said, say] = useState<string | null>(null);
	const place = useRef<HTMLElement>(null);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			say("Copied");
		} catch {
			// Not allowed here: with the whole text selected the person's own keys copy it.
			if (place.current) getSelection()?.selectAllChildren(place.current);
			say("Selected: copy it by hand");
		}
		setTimeout(() => say(null), SAID_MS);
	};
	return (
		<span class="copy">
			<code title={text} ref={place}>
				{said?.startsWith("Selected") ? text : (shown ?? text)}
			</code>
			<button type="button" class="small" onClick={copy} aria-label={`Copy ${name}`}>
				{said ?? "Copy"}
			</button>
		</span>
	);
}
