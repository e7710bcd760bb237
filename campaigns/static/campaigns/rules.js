/* The segment builder: draws the rules of a textarea as selects and inputs, and keeps the textarea in step.
   Fields, operators and words come from the server (campaigns.admin.segment); without this file the text remains. */
(() => {
  "use strict";

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  };

  const option = (value, label, chosen) => make("option", { value, selected: chosen }, label);

  class Builder {
    constructor(box, vocabulary) {
      this.box = box;
      this.textarea = box.querySelector("textarea");
      this.vocabulary = vocabulary;
      this.words = vocabulary.words;
      this.fields = new Map(vocabulary.fields.map((field) => [field.name, field]));
      this.labels = new Map();
      this.problems = new Map();
      try {
        this.tree = JSON.parse(this.textarea.value || "{}");
      } catch {
        return;
      }
      if (typeof this.tree !== "object" || this.tree === null || Array.isArray(this.tree)) return;
      this.tree = { match: this.tree.match || "all", rules: this.tree.rules || [] };
      this.readonly = this.textarea.disabled || this.textarea.readOnly;
      this.textarea.hidden = true;
      this.view = make("div", { class: "rules-view" });
      this.result = make("div", { class: "rules-result", "aria-live": "polite" });
      box.append(this.view, this.result);
      this.draw();
      this.count();
    }

    changed(redraw = true) {
      this.textarea.value = JSON.stringify(this.tree);
      this.textarea.dispatchEvent(new Event("change", { bubbles: true }));
      if (redraw) this.draw();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.count(), 500);
    }

    draw() {
      const focused = document.activeElement?.dataset?.path;
      this.view.replaceChildren(this.group(this.tree, "", null));
      if (focused) this.view.querySelector(`[data-path="${focused}"]`)?.focus();
    }

    group(group, path, remove) {
      const match = make("select", {
        "data-path": `${path}:match`, "aria-label": this.words.all,
        onchange: (event) => { group.match = event.target.value; this.changed(); },
      }, ...["all", "any", "none"].map((name) => option(name, this.words[name], group.match === name)));
      const members = group.rules.map((member, index) => {
        const place = path ? `${path}.${index}` : String(index);
        const removeThis = () => { group.rules.splice(index, 1); this.changed(); };
        const drawn = member.rules ? this.group(member, place, removeThis) : this.rule(member, place, removeThis, group, index);
        return make("li", {}, drawn, this.problem(place));
      });
      const add = (what) => () => { group.rules.push(what()); this.changed(); };
      return make("fieldset", { class: `rules-group rules-${group.match}` },
        make("div", { class: "rules-head" }, match, remove ? this.remove(remove) : null),
        members.length ? make("ul", {}, ...members) : make("p", { class: "rules-empty" }, path ? "" : this.words.everybody),
        this.problem(path),
        make("div", { class: "rules-add" },
          make("button", { type: "button", onclick: add(() => this.fresh("country")) }, `+ ${this.words.add_rule}`),
          make("button", { type: "button", onclick: add(() => ({ match: "any", rules: [this.fresh("country")] })) }, `+ ${this.words.add_group}`)));
    }

    problem(place) {
      const messages = this.problems.get(place) || [];
      return make("p", { class: "rules-problem", "data-problem": place, hidden: !messages.length, role: "alert" }, messages.join(" "));
    }

    remove(action) {
      return make("button", { type: "button", class: "rules-remove", "aria-label": this.words.remove, title: this.words.remove, onclick: action }, "×");
    }

    fresh(name, opName) {
      const field = this.fields.get(name);
      const op = field.ops.find((candidate) => candidate.name === opName) || field.ops[0];
      const today = new Date().toISOString().slice(0, 10);
      const starts = {
        none: null, text: "", number: 1, money: { amount: "100", currency: this.vocabulary.currencies[0] }, days: 30, months: 12,
        date: today, dates: [`${today.slice(0, 4)}-01-01`, today], year: null, countries: [], languages: [], things: [], maybe_things: [],
      };
      return { field: name, op: op.name, value: starts[op.takes] };
    }

    rule(rule, path, remove, group, index) {
      const field = this.fields.get(rule.field);
      if (!field) return make("div", { class: "rules-rule" }, String(rule.field), this.remove(remove));
      const op = field.ops.find((candidate) => candidate.name === rule.op) || field.ops[0];
      const groups = new Map();
      for (const each of this.fields.values()) groups.set(each.group, [...(groups.get(each.group) || []), each]);
      const choose = make("select", {
        "data-path": `${path}:field`, "aria-label": field.group,
        onchange: (event) => { group.rules[index] = this.fresh(event.target.value); this.changed(); },
      }, ...[...groups].map(([label, fields]) => make("optgroup", { label }, ...fields.map((each) => option(each.name, each.label, each.name === rule.field)))));
      const compare = field.ops.length > 1
        ? make("select", {
            "data-path": `${path}:op`, "aria-label": field.label,
            onchange: (event) => {
              const next = this.fresh(rule.field, event.target.value);
              const takes = field.ops.find((candidate) => candidate.name === next.op).takes;
              group.rules[index] = takes === op.takes ? { ...next, value: rule.value } : next;
              this.changed();
            },
          }, ...field.ops.map((each) => option(each.name, each.label, each.name === rule.op)))
        : make("span", { class: "rules-op" }, op.label);
      return make("div", { class: "rules-rule" }, choose, compare, this.value(rule, op, field, path), this.remove(remove));
    }

    value(rule, op, field, path) {
      const set = (value) => { rule.value = value; this.changed(false); };
      const input = (attributes, value, apply) => make("input", { ...attributes, value, "data-path": `${path}:${attributes.name || "value"}`, "aria-label": field.label, oninput: (event) => apply(event.target.value) });
      switch (op.takes) {
        case "none": return null;
        case "text": return input({ type: "text", maxlength: 250 }, rule.value, set);
        case "number": case "days": case "months":
          return input({ type: "number", min: op.takes === "number" ? 0 : 1, step: 1, class: "rules-short" }, rule.value, (text) => set(text === "" ? null : Number(text)));
        case "year":
          return input({ type: "number", min: 1900, max: 2200, placeholder: this.words.this_year, class: "rules-short" }, rule.value ?? "", (text) => set(text === "" ? null : Number(text)));
        case "money": {
          const money = rule.value || {};
          return make("span", { class: "rules-pair" },
            input({ type: "number", min: 0, step: "0.01", name: "amount", class: "rules-short" }, money.amount, (amount) => set({ ...rule.value, amount })),
            make("select", { "data-path": `${path}:currency`, "aria-label": field.label, onchange: (event) => set({ ...rule.value, currency: event.target.value }) },
              ...[...new Set([...this.vocabulary.currencies, money.currency].filter(Boolean))].map((code) => option(code, code, code === money.currency))));
        }
        case "date": return input({ type: "date" }, rule.value, set);
        case "dates": return make("span", { class: "rules-pair" },
          input({ type: "date", name: "first" }, rule.value?.[0], (day) => set([day, rule.value[1]])), this.words.and,
          input({ type: "date", name: "last" }, rule.value?.[1], (day) => set([rule.value[0], day])));
        case "countries": return this.several(rule, path, field, new Map(this.vocabulary.countries));
        case "languages": return this.several(rule, path, field, new Map(this.vocabulary.languages));
        default: return this.several(rule, path, field, null, op.takes === "maybe_things");
      }
    }

    /* Chosen values as chips, with a search field for more: from the given names, or asked of the server. */
    several(rule, path, field, names, mayBeEmpty = false) {
      const chosen = Array.isArray(rule.value) ? rule.value : [];
      const label = (value) => (names ? names.get(value) : this.labels.get(`${field.name}:${value}`)) || String(value);
      const unknown = names ? [] : chosen.filter((value) => !this.labels.has(`${field.name}:${value}`));
      if (unknown.length) this.learn(field, { keys: unknown.join(",") }, true);
      const chips = chosen.map((value) => make("span", { class: "rules-chip" }, label(value),
        make("button", { type: "button", "aria-label": `${this.words.remove}: ${label(value)}`, onclick: () => { rule.value = chosen.filter((each) => each !== value); this.changed(); } }, "×")));
      const list = make("div", { class: "rules-list", role: "listbox", hidden: true });
      const pick = (value) => { rule.value = [...chosen, value]; this.changed(); };
      const show = async (text) => {
        const wanted = text.trim().toLowerCase();
        const pairs = names
          ? [...names].filter(([code, name]) => name.toLowerCase().includes(wanted) || code.toLowerCase() === wanted)
          : (await this.learn(field, { q: text })).map((thing) => [thing.value, thing.label]);
        list.replaceChildren(...pairs.filter(([value]) => !chosen.includes(value)).slice(0, 30).map(([value, name]) =>
          make("button", { type: "button", role: "option", onmousedown: (event) => { event.preventDefault(); pick(value); }, onclick: () => pick(value) }, name)));
        list.hidden = !list.children.length;
      };
      const search = make("input", {
        type: "search", autocomplete: "off", "data-path": `${path}:search`, "aria-label": field.label,
        placeholder: mayBeEmpty && !chosen.length ? this.words.any_of_them : this.words.search,
        onfocus: (event) => show(event.target.value), oninput: (event) => show(event.target.value),
        onkeydown: (event) => {
          if (event.key === "Enter") { event.preventDefault(); list.firstElementChild?.click(); }
          if (event.key === "Escape") list.hidden = true;
          if (event.key === "ArrowDown") { event.preventDefault(); list.firstElementChild?.focus(); }
        },
      });
      const box = make("span", { class: "rules-several" }, ...chips, make("span", { class: "rules-search" }, search, list));
      box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget)) list.hidden = true; });
      return box;
    }

    async learn(field, query, redraw = false) {
      try {
        const answer = await fetch(`${field.things}?${new URLSearchParams(query)}`);
        const { things } = await answer.json();
        for (const thing of things) this.labels.set(`${field.name}:${thing.value}`, thing.label);
        for (const key of (query.keys || "").split(",").filter(Boolean)) {
          if (!this.labels.has(`${field.name}:${key}`)) this.labels.set(`${field.name}:${key}`, `#${key}`);
        }
        if (redraw) this.draw();
        return things;
      } catch {
        return [];
      }
    }

    async count() {
      const asked = (this.asked = Symbol("count"));
      this.result.classList.add("rules-busy");
      if (!this.result.children.length) this.result.append(make("p", {}, this.words.counting));
      let answer;
      try {
        const response = await fetch(this.vocabulary.count, {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
          body: JSON.stringify({ rules: this.tree, segment: this.vocabulary.segment }),
        });
        answer = await response.json();
      } catch {
        answer = { slow: this.words.failed, problems: [] };
      }
      if (asked !== this.asked) return;
      this.result.classList.remove("rules-busy");
      this.problems = new Map();
      for (const [place, message] of answer.problems) this.problems.set(place, [...(this.problems.get(place) || []), message]);
      this.view.querySelectorAll("[data-problem]").forEach((element) => {
        const messages = this.problems.get(element.dataset.problem) || [];
        element.hidden = !messages.length;
        element.textContent = messages.join(" ");
      });
      const parts = [];
      if (answer.count !== undefined) parts.push(make("p", { class: "rules-count" }, make("b", {}, answer.count.toLocaleString()), ` ${this.words.people}`));
      if (answer.slow) parts.push(make("p", {}, answer.slow));
      if (answer.words) parts.push(make("p", { class: "rules-words" }, answer.words));
      if (answer.sample?.length) {
        parts.push(make("ul", { class: "rules-sample" }, ...answer.sample.map((person) =>
          make("li", {}, make("a", { href: person.link }, person.name), ` ${person.place}`))));
      }
      this.result.replaceChildren(...parts);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const source = document.getElementById("rules-vocabulary");
    if (!source) return;
    document.querySelectorAll("[data-rules]").forEach((box) => new Builder(box, JSON.parse(source.textContent)));
  });
})();
