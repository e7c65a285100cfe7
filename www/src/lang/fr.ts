import type { Dictionary } from "../lib/i18n.js";
import { en } from "./en.js";

/** Placeholder. */
export const fr: Dictionary = en;
