// A labelled field for one text, and a password's.

import type { ComponentChildren } from "preact";
import { t } from "../lib/i18n.js";
import { PASSWORD_LENGTH } from "../lib/vault.js";

/** What a field may say of itself besides. */
interface Input {
	type?: "text" | "password" | "number";
	placeholder?: string;
	autocomplete?: string;
	inputMode?: "decimal";
	required?: boolean;
	minLength?: number;
	maxLength?: number;
	min?: number;
	max?: number;
}

/** A text field; what stands behind it goes in `children`. */
export function Field({
	id,
	label,
	value,
	set,
	children,
	...more
}: Input & {
	id: string;
	label: string;
	value: string;
	set: (value: string) => void;
	children?: ComponentChildren;
}) {
	return (
		<>
			<label for={id}>{label}</label>
			<div class="field">
				<input
					autocomplete="off"
					autocapitalize="off"
					spellcheck={false}
					dir="auto"
					{...(more as object)}
					id={id}
					value={value}
					onInput={(event) => set(event.currentTarget.value)}
				/>
				{children}
			</div>
		</>
	);
}

/** A password; a new one has a least length. */
export function Password({
	value,
	set,
	isNew = false,
	label = t("password.label"),
	id = "password",
}: {
	value: string;
	set: (value: string) => void;
	isNew?: boolean;
	label?: string;
	id?: string;
}) {
	return (
		<Field
			id={id}
			label={label}
			value={value}
			set={set}
			type="password"
			autocomplete={isNew ? "new-password" : "current-password"}
			required
			{...(isNew ? { minLength: PASSWORD_LENGTH } : {})}
		/>
	);
}
