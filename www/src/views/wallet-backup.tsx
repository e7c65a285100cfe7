// The copy of the wallet outside this browser: the words, checked once, and an encrypted file of everything.
//
// States, where no backup was confirmed: hidden -> words shown -> asked for two of them -> confirmed. Until then the
// account's address is not shown: money that nobody can bring back should not come. Browsers forget: Safari erases
// what a page keeps after seven days without a visit.

import { useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { Words } from "../components/words.js";
import { save } from "../lib/files.js";
import { explain, t } from "../lib/i18n.js";
import { exported } from "../lib/vault.js";
import { wordsOf } from "../lib/wallet.js";
import { update, type Wallet } from "../lib/wallet-store.js";

/** Two different places of a phrase, from 0. */
function twoPlaces(count: number): [number, number] {
	const [one = 0, other = 0] = crypto.getRandomValues(new Uint32Array(2));
	const first = one % count;
	return [first, (first + 1 + (other % (count - 1))) % count];
}

/** The card; `first` while nothing was confirmed yet. */
export function Backup({ wallet, first = false }: { wallet: Wallet; first?: boolean }) {
	const [words, setWords] = useState<string[] | null>(null);
	const [asked, setAsked] = useState<[number, number] | null>(null);
	const [given, setGiven] = useState(["", ""]);
	const [problem, setProblem] = useState<string | null>(null);
	const { secret } = wallet.contents;
	const show = async () => {
		try {
			setWords((await wordsOf(secret))?.split(" ") ?? null);
		} catch (error) {
			setProblem(explain(error));
		}
	};
	const confirm = () => {
		const right = asked?.every((place, at) => given[at]?.trim().toLowerCase() === words?.[place]);
		if (right) void update({ backedUp: true });
		else setProblem(t("backup.wrong"));
	};
	const content = (
		<>
			{first && <p>{t("backup.why")}</p>}
			{secret.kind !== "watch" && words === null && (
				<p class="buttons">
					<button type="button" class={first ? "primary" : ""} onClick={() => void show()}>
						{t("backup.show")}
					</button>
				</p>
			)}
			{words && !asked && (
				<>
					<Words words={words.join(" ")} />
					{secret.kind === "bip39" && secret.passphrase !== "" && (
						<p class="note">{t("backup.passphrase")}</p>
					)}
					<p class="buttons">
						{first ? (
							<button
								type="button"
								class="primary"
								onClick={() => setAsked(twoPlaces(words.length))}
							>
								{t("backup.written")}
							</button>
						) : (
							<button type="button" onClick={() => setWords(null)}>
								{t("backup.hide")}
							</button>
						)}
					</p>
				</>
			)}
			{asked && (
				<form
					onSubmit={(event) => {
						event.preventDefault();
						confirm();
					}}
				>
					{asked.map((place, at) => (
						<Field
							key={place}
							id={`word-${at}`}
							label={t("backup.word", { n: place + 1 })}
							value={given[at] ?? ""}
							set={(word) => setGiven(given.map((old, index) => (index === at ? word : old)))}
							required
						/>
					))}
					<p class="buttons">
						<button type="submit" class="primary">
							{t("backup.confirm")}
						</button>
						<button type="button" onClick={() => setAsked(null)}>
							{t("backup.again")}
						</button>
					</p>
				</form>
			)}
			<Problem text={problem} />
			{!first && (
				<>
					<p class="quiet">{t("backup.fileWhy")}</p>
					<p class="buttons">
						<button
							type="button"
							onClick={() => save("nanonet-wallet.json", new Blob([exported()]))}
						>
							{t("backup.file")}
						</button>
					</p>
				</>
			)}
		</>
	);
	if (first) {
		return (
			<div class="card backup">
				<h2>{t("backup.first")}</h2>
				{content}
			</div>
		);
	}
	return (
		<details>
			<summary>{t("backup.heading")}</summary>
			{content}
		</details>
	);
}
