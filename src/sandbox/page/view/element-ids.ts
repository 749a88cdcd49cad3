/** The list, which takes the focus for all its rows. */
export const LIST_ID = "deliveries";
/** The search field of the list. */
export const SEARCH_ID = "search";
/** The field for the type of a single event. */
export const EVENT_ID = "event-type";
/** The field for the URL of a new endpoint. */
export const ENDPOINT_URL_ID = "endpoint-url";
