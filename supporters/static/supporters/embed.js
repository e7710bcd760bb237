// One tag on a partner's page, and the form for signing is there:
// <script src="https://…/embed.js" data-petition="slug" data-via="code" async></script>
// It puts a frame where the tag is, and lets it grow to what is in it. It stores nothing and asks nobody but us.
(function () {
  "use strict";
  var tag = document.currentScript;
  if (!tag || !tag.dataset.petition) return;
  var ours = new URL(tag.src).origin;
  var root = new URL(".", tag.src).href;
  var language = tag.dataset.language || document.documentElement.lang;
  var query = new URLSearchParams();
  if (tag.dataset.via) query.set("via", tag.dataset.via);
  if (tag.dataset.source) query.set("source", tag.dataset.source);
  if (language) query.set("language", language);

  var frame = document.createElement("iframe");
  frame.src = root + "p/" + encodeURIComponent(tag.dataset.petition) + "/embed/?" + query;
  frame.title = tag.dataset.title || document.title;
  frame.lang = language;
  frame.style.cssText = "display:block;width:100%;max-width:640px;height:900px;margin:0 auto;border:0";
  var loads = 0;
  frame.addEventListener("load", function () {
    frame.contentWindow.postMessage({ lodestar: "hello" }, ours);
    loads += 1;
    // After the form was sent, what stands in its place may be out of sight.
    if (loads > 1 && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
  });
  window.addEventListener("message", function (event) {
    if (event.origin !== ours || event.source !== frame.contentWindow) return;
    var said = event.data;
    if (!said || said.lodestar !== "size") return;
    var height = Number(said.height);
    if (height > 0 && height < 20000) frame.style.height = height + "px";
    if (typeof said.title === "string" && !tag.dataset.title) frame.title = said.title;
    if (typeof said.language === "string") frame.lang = said.language;
  });
  tag.parentNode.insertBefore(frame, tag);
})();
