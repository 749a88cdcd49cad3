import { render } from "preact";
import { followNews } from "./model/announcement.ts";
import { followOpened } from "./model/opened-delivery.ts";
import { followPreferences } from "./model/preferences.ts";
import { follow } from "./model/stream.ts";
import { App } from "./view/app.tsx";
import { followKeys } from "./view/shortcuts.ts";

followPreferences();
followOpened();
followKeys();
followNews();
render(<App />, document.getElementById("page") as HTMLElement);
void follow();
