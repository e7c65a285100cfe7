// The address book: names for addresses, kept encrypted with the wallet, and as a file to take elsewhere.

import { useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { bookText, mergeBook, readBook } from "../lib/book.js";
import { save } from "../lib/files.js";
import { short } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import { readNanoLink } from "../lib/nano-link.js";
import { update, type Wallet } from "../lib/wallet-store.js";

/** The book with its form. */
export function Book({ wallet }: { wallet: Wallet }) {
	const { book } = wallet.contents;
	const [name, setName] = useState("");
	const [address, setAddress] = useState("");
	const [problem, setProblem] = useState<string | null>(null);
	const attempt = async (work: () => Promise<void>) => {
		try {
			await work();
			setProblem(null);
		} catch (error) {
			setProblem(explain(error));
		}
	};
	const add = () =>
		attempt(async () => {
			const given = readNanoLink(address)?.address ?? address;
			await update({ book: await mergeBook(book, [{ name, address: given }]) });
			setName("");
			setAddress("");
		});
	const bring = (file: File | undefined) =>
		attempt(async () => {
			if (file) await update({ book: await mergeBook(book, await readBook(file)) });
		});
	return (
		<details>
			<summary>{t("book.heading")}</summary>
			{book.length === 0 ? (
				<p class="empty">{t("book.none")}</p>
			) : (
				<ul class="rows book">
					{book.map((entry) => (
						<li key={entry.address}>
							<strong dir="auto">{entry.name}</strong>
							<code class="quiet" dir="ltr" title={entry.address}>
								{short(entry.address)}
							</code>
							<button
								type="button"
								class="small"
								aria-label={t("book.forget", { name: entry.name })}
								onClick={() =>
									void update({ book: book.filter(({ address: one }) => one !== entry.address) })
								}
							>
								×
							</button>
						</li>
					))}
				</ul>
			)}
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void add();
				}}
			>
				<Field
					id="book-name"
					label={t("book.name")}
					value={name}
					set={setName}
					maxLength={60}
					required
				/>
				<Field
					id="book-address"
					label={t("book.address")}
					value={address}
					set={setAddress}
					placeholder="nano_…"
					required
				/>
				<div class="buttons">
					<button type="submit">{t("book.add")}</button>
					<button
						type="button"
						disabled={book.length === 0}
						onClick={() => save("nanonet-address-book.json", new Blob([bookText(book)]))}
					>
						{t("book.export")}
					</button>
					<label class="file">
						{t("book.import")}
						<input
							type="file"
							accept=".json,application/json"
							onChange={(event) => void bring(event.currentTarget.files?.[0])}
						/>
					</label>
				</div>
			</form>
			<Problem text={problem} />
		</details>
	);
}
