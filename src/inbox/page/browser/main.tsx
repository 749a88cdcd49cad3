import { render } from "preact";
import { followPreferences } from "../../../page/model/preferences.ts";
import { followCounts } from "./model/counts.ts";
import { followOpened } from "./model/opened-event.ts";
import { followList } from "./model/parked.ts";
import { App } from "./view/app.tsx";
import { followShortcuts } from "./view/shortcuts.ts";

followPreferences();
followOpened();
followShortcuts();
render(<App />, document.getElementById("page") as HTMLElement);
followList();
followCounts();
