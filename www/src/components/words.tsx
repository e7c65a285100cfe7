// The words of a secret, numbered, to be written down.

/** The list; the words are English in every language. */
export function Words({ words }: { words: string }) {
	return (
		<ol class="words" lang="en" dir="ltr">
			{words.split(" ").map((word, index) => (
				<li key={`${index}-${word}`}>{word}</li>
			))}
		</ol>
	);
}
