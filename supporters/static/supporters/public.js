// Leaves at once, and takes this page's place in the history with it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-exit]");
  if (!link) return;
  event.preventDefault();
  document.documentElement.hidden = true;
  window.top.location.replace(link.href); // of a page that is framed, too
});

// Who has to wait may go on sooner: the browser solves a puzzle beside the page. Without it, the seconds told are enough.
for (const status of document.querySelectorAll("[data-puzzle]")) {
  if (!window.Worker || !window.crypto?.subtle) break;
  const worker = new Worker(status.dataset.solver);
  worker.onmessage = ({ data: solution }) => {
    status.closest("form").elements.solved.value = solution;
    status.textContent = status.dataset.done;
    worker.terminate();
  };
  worker.onerror = () => { status.textContent = ""; };
  status.textContent = status.dataset.trying;
  worker.postMessage(JSON.parse(status.dataset.puzzle));
}
