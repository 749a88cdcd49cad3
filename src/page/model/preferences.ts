import { effect, signal } from "@preact/signals";

/** In the order of the toggle. */
const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>(THEMES.find((name) => name === read("theme")) ?? "system");
/** Whether single-letter shortcuts are on. People who use speech input switch them off. */
export const keysOn = signal(read("keys") !== "off");

/** Saves the preferences and applies the theme. */
export function followPreferences(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    write("theme", theme.value);
  });
  effect(() => write("keys", keysOn.value ? "on" : "off"));
}

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
}

/** The browser may block storage. The page then works without saved preferences. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(`bluum-webhooks.${key}`);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`bluum-webhooks.${key}`, value);
  } catch {}
}
