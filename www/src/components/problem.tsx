// Something did not work: what, and what to do. Announced at once.

/** The banner; nothing without a text. */
export function Problem({ text }: { text: string | null }) {
	if (!text) return null;
	return (
		<p class="banner bad" role="alert">
			{text}
		</p>
	);
}
