// What this tab keeps of the conversation, so that a reload does not lose it. It is gone with the tab, and with the key.

const STORED = "glm-api conversation";

/** The record that was saved last, or null. */
export function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED));
  } catch {
    return null;
  }
}

/** Keep `record`, of its `turns` the newest ones that the browser has room for. */
export function remember(record) {
  for (let first = 0; first < record.turns.length; first++) {
    try {
      return sessionStorage.setItem(STORED, JSON.stringify({ ...record, turns: record.turns.slice(first) }));
    } catch {
      // Too much: without the oldest turn, then.
    }
  }
  forget();
}

export const forget = () => sessionStorage.removeItem(STORED);
