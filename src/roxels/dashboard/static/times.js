// Times as the reader's own clock and calendar say them; the server wrote them in UTC.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** @param {Date} at */
function ago(at) {
  const seconds = (Date.now() - at.getTime()) / 1000;
  const unit = UNITS.find(([, size]) => seconds >= size);
  return unit ? relative.format(-Math.floor(seconds / unit[1]), unit[0]) : "just now";
}

/** @type {Record<string, (at: Date) => string>} */
const WRITTEN = { ago, clock: (at) => clock.format(at), day: (at) => day.format(at) };

/** Write every time below `root` in the reader's words. @param {ParentNode} root */
export function tellTimes(root) {
  for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll("time[data-time]"))) {
    const at = new Date(time.dateTime);
    const text = WRITTEN[time.dataset.time ?? ""](at);
    if (time.textContent !== text) time.textContent = text;
    const title = exact.format(at);
    if (time.title !== title) time.title = title;
  }
}

setInterval(() => document.hidden || tellTimes(document), 20000);
