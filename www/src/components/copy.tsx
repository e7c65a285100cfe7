// A long text that can be copied whole.

import { useState } from "preact/hooks";

/** Shows `shown`, copies `text`. */
export function Copy({ text, shown, name }: { text: string; shown?: string; name: string }) {
	const [copied, set] = useState(false);
	const copy = async () => {
		await navigator.clipboard.writeText(text);
		set(true);
		setTimeout(() => set(false), 1_500);
	};
	return (
		<span class="copy">
			<code title={text}>{shown ?? text}</code>
			<button type="button" class="small" onClick={copy} aria-label={`Copy ${name}`}>
				{copied ? "Copied" : "Copy"}
			</button>
		</span>
	);
}
