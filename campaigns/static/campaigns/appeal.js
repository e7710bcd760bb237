// Keeps an appeal's progress fresh while it is on its way, and the page itself once its state has changed.
(() => {
  const EVERY = 2000;

  function show(panel, progress) {
    panel.querySelector("progress").value = progress.percent;
    panel.querySelector("[role=progressbar]").setAttribute("aria-valuenow", progress.percent);
    panel.querySelector("[data-done]").textContent = progress.done;
    panel.querySelector("[data-total]").textContent = progress.total;
    for (const row of progress.states) {
      const item = panel.querySelector(`[data-state="${row.state}"]`);
      item.hidden = row.number === 0;
      item.querySelector("strong").textContent = row.number;
    }
    const trouble = panel.closest("[data-appeal-state]").querySelector("[data-trouble]");
    trouble.hidden = !progress.trouble;
    trouble.querySelector("span").textContent = progress.trouble;
  }

  function watch(section) {
    const panel = section.querySelector("[data-progress]");
    const state = section.dataset.appealState;
    const waiting = state === "scheduled";
    if (!waiting && !(panel && state === "sending")) return;
    const url = panel ? panel.dataset.progress : section.dataset.watch;
    const timer = setInterval(async () => {
      if (document.hidden) return;
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (!answer.ok) return;
        const progress = await answer.json();
        if (progress.state !== state) {
          clearInterval(timer);
          location.reload();
          return;
        }
        if (panel) show(panel, progress);
      } catch {
        // The network is away; the next round tries again.
      }
    }, EVERY);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-appeal-state]").forEach(watch);
  });
})();
