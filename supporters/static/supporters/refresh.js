/* Keeps the inside of an element fresh from the address in its data-refresh, while the page is looked at and until
   what came says, by a data-settled in it, that it stays as it is. */
document.querySelectorAll("[data-refresh]").forEach((element) => {
  const every = Number(element.dataset.every || 5) * 1000;
  const refresh = async () => {
    const busy = element.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
    if (document.visibilityState !== "visible" || busy) return;
    try {
      const answer = await fetch(element.dataset.refresh, { headers: { "X-Requested-With": "fetch" } });
      if (answer.ok && !answer.redirected) element.innerHTML = await answer.text();
      if (element.querySelector("[data-settled]")) clearInterval(timer);
    } catch {
      /* The next round tries again. */
    }
  };
  const timer = setInterval(refresh, every);
});
