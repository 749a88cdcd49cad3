import type { ComponentChildren, JSX } from "preact";
import { nextTheme, type Theme, theme } from "../model/preferences.ts";
import { connection } from "../model/stream.ts";
import { openHelp } from "./help.tsx";

const CONNECTION_WORDS = { connecting: "Connecting", live: "Live", lost: "Not connected" } as const;

interface TopBarProps {
  /** The page's name. */
  readonly name: string;
  /** Beside the name. */
  readonly badge?: ComponentChildren;
  /** On the other side, before the connection. */
  readonly children?: ComponentChildren;
}

/** The name of the page, the connection, and the buttons for theme and help. */
export function TopBar({ name, badge, children }: TopBarProps): JSX.Element {
  return (
    <header class="top-bar">
      <h1>
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" class="logo">
          <path d="M12 2.5 21 7v10l-9 4.5L3 17V7Z" />
          <path d="M3 7l9 4.5L21 7M12 11.5v10" />
        </svg>
        <span>bluum-webhooks</span> <span class="light">{name}</span>
      </h1>
      {badge}
      <span class="spring" />
      {children}
      <span class={`connection ${connection.value}`}>
        <span class="unseen-narrow">{CONNECTION_WORDS[connection.value]}</span>
      </span>
      <ThemeButton />
      <button
        type="button"
        class="quiet icon"
        onClick={openHelp}
        aria-label="Keyboard and help"
        title="Keyboard and help (?)"
      >
        ?
      </button>
    </header>
  );
}

const THEME_SIGNS: Readonly<Record<Theme, string>> = {
  system: "M8 2.5a5.5 5.5 0 1 0 0 11ZM8 2.5a5.5 5.5 0 0 1 0 11",
  light:
    "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13",
  dark: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
};

function ThemeButton(): JSX.Element {
  const words = `Theme: ${theme.value}`;
  return (
    <button type="button" class="quiet icon" onClick={nextTheme} aria-label={words} title={`${words} (t)`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d={THEME_SIGNS[theme.value]} class={theme.value === "system" ? "line half" : "line"} />
      </svg>
    </button>
  );
}

/**
 * Shown while the page is not connected to its server.
 *
 * @param props.server its name at the start of a sentence: `The sandbox`
 */
export function ConnectionNotice({ server }: { readonly server: string }): JSX.Element {
  return (
    <div role="status" class="connection-notice">
      {connection.value === "lost" && (
        <p>{server} does not answer. This page may be out of date; it keeps trying to reconnect.</p>
      )}
    </div>
  );
}
