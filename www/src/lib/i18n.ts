// The page's words in the person's language.
//
// A language is one dictionary with the same keys as English (`src/lang/en.ts`), loaded when it is chosen. Rules:
// - a key that a dictionary lacks is an error of the types and of a test, never a gap on the page;
// - what depends on a number has the forms that the language's plural rules name;
// - amounts are written alike in every language, because they are typed and compared digit by digit.

import { useEffect, useState } from "preact/hooks";
import { en } from "../lang/en.js";

/** A text that depends on the number `n`. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;
/** Every text of the page in one language. */
export type Dictionary = {
	[K in keyof typeof en]: (typeof en)[K] extends string ? string : Plural;
};
/** The name of a text. */
export type Key = keyof Dictionary;

/** The languages by code, each with its own name. */
export const LANGUAGES = {
	en: "English",
	es: "Español",
	de: "Deutsch",
	fr: "Français",
	ar: "العربية",
} as const;
export type Language = keyof typeof LANGUAGES;
/** Languages written from right to left. */
const RIGHT_TO_LEFT: ReadonlySet<Language> = new Set(["ar"]);

const LOADERS: Record<Language, () => Promise<Dictionary>> = {
	en: async () => en,
	es: async () => (await import("../lang/es.js")).es,
	de: async () => (await import("../lang/de.js")).de,
	fr: async () => (await import("../lang/fr.js")).fr,
	ar: async () => (await import("../lang/ar.js")).ar,
};

const PLACE = "nanonet-language";
let language: Language = "en";
let dictionary: Dictionary = en;
const listeners = new Set<() => void>();

const isLanguage = (code: string): code is Language => Object.hasOwn(LANGUAGES, code);

/** The language in use. */
export const currentLanguage = (): Language => language;

/** Changes the language and remembers it; one that cannot be loaded leaves things as they are. */
export async function setLanguage(next: Language): Promise<void> {
	dictionary = await LOADERS[next]();
	language = next;
	localStorage.setItem(PLACE, next);
	document.documentElement.lang = next;
	document.documentElement.dir = RIGHT_TO_LEFT.has(next) ? "rtl" : "ltr";
	for (const listener of listeners) listener();
}

/** Takes the language that was chosen here, or the browser's first that there is. */
export async function startLanguage(): Promise<void> {
	const wanted = [localStorage.getItem(PLACE) ?? "", ...navigator.languages];
	const found = wanted.map((code) => code.slice(0, 2)).find(isLanguage);
	if (found && found !== "en") await setLanguage(found).catch(() => {});
}

/** Renders a component again when the language changes. */
export function useLanguage(): Language {
	const [value, set] = useState(language);
	useEffect(() => {
		const listener = () => set(language);
		listeners.add(listener);
		listener();
		return () => {
			listeners.delete(listener);
		};
	}, []);
	return value;
}

/** The text of a key, with `{name}` replaced by the values. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
	const entry: string | Plural = dictionary[key];
	const text =
		typeof entry === "string"
			? entry
			: (entry[new Intl.PluralRules(language).select(Number(values.n))] ?? entry.other);
	return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** The text of a key that is put together at run time, if there is one. */
export function maybe(key: string): string | undefined {
	return Object.hasOwn(dictionary, key) ? t(key as Key) : undefined;
}

/** An error in the person's language where that is known, otherwise as it was raised. */
export function explain(error: unknown): string {
	const code = (error as { code?: unknown } | null)?.code;
	// English messages say more than a code can.
	if (language !== "en" && typeof code === "string") {
		const known = maybe(`error.${code}`);
		if (known) return known;
	}
	return error instanceof Error ? error.message : String(error);
}
