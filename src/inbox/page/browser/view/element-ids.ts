/** The list of parked events. */
export const LIST_ID = "events";
/** The field for the type of the listed events. */
export const TYPE_ID = "type";
