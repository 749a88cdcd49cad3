import { effect, signal } from "@preact/signals";

/** In the order in which the toggle goes through them. */
const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>(THEMES.find((name) => name === read("theme")) ?? "system");
/** Whether single keys do something; those who speak to their computer switch them off. */
export const keysOn = signal(read("keys") !== "off");

/** Keeps what was chosen, and shows the theme. */
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

/** Storage may be switched off in a browser; the page then forgets, and works. */
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
