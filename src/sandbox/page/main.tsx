import { render } from "preact";
import { followPreferences } from "../../page/model/preferences.ts";
import { followNews } from "./model/announcement.ts";
import { followOpened } from "./model/opened-delivery.ts";
import { follow } from "./model/stream.ts";
import { App } from "./view/app.tsx";
import { followShortcuts } from "./view/shortcuts.ts";

followPreferences();
followOpened();
followShortcuts();
followNews();
render(<App />, document.getElementById("page") as HTMLElement);
void follow();
