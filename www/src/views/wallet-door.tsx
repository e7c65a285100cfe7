// Into the wallet: create one, import one, or unlock the one this browser keeps.

import { useState } from "preact/hooks";
import { forget, open, PASSWORD_LENGTH, seal } from "../lib/vault.js";
import { loadCore, type OpenWallet, openWallet, readSecret, type Secret } from "../lib/wallet.js";
import { SecretChoice } from "./wallet-choice.js";

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));

function Password({
	value,
	set,
	isNew,
}: {
	value: string;
	set: (value: string) => void;
	isNew: boolean;
}) {
	return (
		<>
			<label for="password">Password</label>
			<input
				id="password"
				type="password"
				value={value}
				onInput={(event) => set(event.currentTarget.value)}
				autocomplete={isNew ? "new-password" : "current-password"}
				minLength={isNew ? PASSWORD_LENGTH : undefined}
				required
			/>
		</>
	);
}

/** Makes a new seed, or takes an existing one, and encrypts it. */
export function Create({ opened }: { opened: (wallet: OpenWallet) => void }) {
	const [imported, setImported] = useState(false);
	const [given, setGiven] = useState("");
	const [fresh, setFresh] = useState<{ seed: string; words: string } | null>(null);
	const [saved, setSaved] = useState(false);
	const [choices, setChoices] = useState<Secret[]>([]);
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);

	const attempt = async (work: () => Promise<void>) => {
		setBusy(true);
		setProblem(null);
		try {
			await work();
		} catch (error) {
			setProblem(text(error));
		}
		setBusy(false);
	};
	const make = () =>
		attempt(async () => {
			const { generateSeed, seedToWords } = await loadCore();
			const seed = generateSeed();
			setFresh({ seed, words: seedToWords(seed) });
		});
	const finish = (event: Event) => {
		event.preventDefault();
		void attempt(async () => {
			const secrets: Secret[] = fresh
				? [{ kind: "nano", hex: fresh.seed }]
				: await readSecret(given);
			const [only, other] = secrets;
			if (other) setChoices(secrets);
			else if (only) await enter(only);
		});
	};
	const enter = async (secret: Secret) => {
		await seal(secret, password);
		opened(await openWallet(secret));
	};

	if (choices.length > 0) {
		return (
			<SecretChoice
				secrets={choices}
				choose={(secret) => attempt(() => enter(secret))}
				busy={busy}
				problem={problem}
				back={() => setChoices([])}
			/>
		);
	}

	if (!imported && !fresh) {
		return (
			<div class="narrow">
				<div class="card">
					<h2>A wallet in this browser</h2>
					<p>
						Its seed is encrypted with your password and stays on this device. Blocks are signed
						here; the network only sees what you send.
					</p>
					<p class="buttons">
						<button type="button" class="primary" disabled={busy} onClick={make}>
							Create a new wallet
						</button>
						<button type="button" onClick={() => setImported(true)}>
							Import a seed
						</button>
					</p>
					{problem && (
						<p class="banner bad" role="alert">
							{problem}
						</p>
					)}
				</div>
			</div>
		);
	}
	return (
		<div class="narrow">
			<form class="card" onSubmit={finish}>
				<h2>{fresh ? "Write these words down" : "Import a seed"}</h2>
				{fresh ? (
					<>
						<p>
							They are the only way back to your money if this browser forgets it, and anyone who
							has them has your money.
						</p>
						<ol class="words">
							{fresh.words.split(" ").map((word, index) => (
								<li key={`${index}-${word}`}>{word}</li>
							))}
						</ol>
						<label class="check">
							<input
								type="checkbox"
								checked={saved}
								onChange={(event) => setSaved(event.currentTarget.checked)}
								required
							/>
							I have written the words down
						</label>
					</>
				) : (
					<>
						<label for="seed">Seed: 64 hexadecimal digits, or 24 words</label>
						<textarea
							id="seed"
							rows={3}
							value={given}
							onInput={(event) => setGiven(event.currentTarget.value)}
							autocomplete="off"
							spellcheck={false}
							required
						/>
					</>
				)}
				<Password value={password} set={setPassword} isNew />
				<p class="buttons">
					<button type="submit" class="primary" disabled={busy}>
						{busy ? "Encrypting…" : "Open the wallet"}
					</button>
					<button
						type="button"
						onClick={() => {
							setFresh(null);
							setImported(false);
							setProblem(null);
						}}
					>
						Back
					</button>
				</p>
				{problem && (
					<p class="banner bad" role="alert">
						{problem}
					</p>
				)}
			</form>
		</div>
	);
}

/** Asks for the password. */
export function Unlock({
	opened,
	forgotten,
}: {
	opened: (wallet: OpenWallet) => void;
	forgotten: () => void;
}) {
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const [sure, setSure] = useState(false);
	const unlock = async (event: Event) => {
		event.preventDefault();
		setBusy(true);
		setProblem(null);
		try {
			opened(await openWallet(await open(password)));
		} catch (error) {
			setProblem(text(error));
			setBusy(false);
		}
	};
	return (
		<div class="narrow">
			<form class="card" onSubmit={unlock}>
				<h2>Unlock your wallet</h2>
				<Password value={password} set={setPassword} isNew={false} />
				<p class="buttons">
					<button type="submit" class="primary" disabled={busy}>
						{busy ? "Opening…" : "Unlock"}
					</button>
				</p>
				{problem && (
					<p class="banner bad" role="alert">
						{problem}
					</p>
				)}
				<details>
					<summary>Remove the wallet from this browser</summary>
					<p>Its money stays on the network; only the seed opens it again.</p>
					<label class="check">
						<input
							type="checkbox"
							checked={sure}
							onChange={(event) => setSure(event.currentTarget.checked)}
						/>
						I have the seed or its words
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
						Remove
					</button>
				</details>
			</form>
		</div>
	);
}
