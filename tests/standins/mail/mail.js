// Show new mail as it comes, but not under the fingers of somebody who is typing.
const count = document.getElementById("count");
if (count) {
  setInterval(async () => {
    if (document.hidden || document.activeElement?.name === "to") return;
    try {
      const told = await (await fetch("/count.json")).json();
      if (String(told.count) !== count.dataset.count) location.reload();
    } catch {
      // the catcher has ended
    }
  }, 2000);
}
for (const time of document.querySelectorAll("time")) {
  const moment = new Date(time.dateTime);
  const today = moment.toDateString() === new Date().toDateString();
  const short = today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  time.textContent = moment.toLocaleString("en-GB", time.closest("li") ? short : { dateStyle: "long", timeStyle: "medium" });
}
