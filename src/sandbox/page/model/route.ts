import { type Route, routeTo } from "../../../page/model/route.ts";

/** The delivery in the page's address. */
export const { opened, walkedTo, open, close }: Route = routeTo("deliveries");
