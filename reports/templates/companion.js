"use strict";
// What report.html can do where scripts run: filter the gallery, slide over ε.
// Without it every picture stands side by side. It asks nothing of any network.
(() => {
  const words = JSON.parse(document.currentScript.dataset.words);

  const make = (tag, attributes = {}, text = "") => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };

  const button = (text, pressed, act) => {
    const made = make("button", { type: "button", "aria-pressed": String(pressed) }, text);
    made.addEventListener("click", act);
    return made;
  };

  // Buttons for every value of figure[data-key]; `choose` is told the value, "" for all.
  const row = (key, figures, choose) => {
    const values = [...new Set(figures.map((figure) => figure.dataset[key]).filter(Boolean))];
    const made = make("div", { role: "group", "aria-label": words[key] });
    made.append(make("span", {}, words[key]));
    const press = (value) => {
      for (const one of made.querySelectorAll("button"))
        one.setAttribute("aria-pressed", String(one.dataset.value === value));
      choose(value);
    };
    for (const value of ["", ...values]) {
      const one = button(value || words.all, value === "", () => press(value));
      one.dataset.value = value;
      made.append(one);
    }
    return values.length > 1 ? made : null;
  };

  const filter = () => {
    const galleries = [...document.querySelectorAll('.gallery[data-use="filter"]')];
    const figures = galleries.flatMap((gallery) => [...gallery.querySelectorAll("figure")]);
    const chosen = {};
    const status = make("p", { class: "small", role: "status" });
    const show = () => {
      for (const figure of figures)
        figure.hidden = Object.entries(chosen).some(([key, v]) => v && figure.dataset[key] !== v);
      for (const gallery of galleries)
        gallery.hidden = !gallery.querySelector("figure:not([hidden])");
      const seen = figures.filter((figure) => !figure.hidden).length;
      status.textContent = words.shown.replace("{n}", seen).replace("{total}", figures.length);
    };
    const rows = ["outcome", "view"].map((key) =>
      row(key, figures, (value) => {
        chosen[key] = value;
        show();
      }),
    );
    if (!rows.some(Boolean)) return;
    const bar = make("div", { class: "companion", "data-companion": "filter" });
    bar.append(...rows.filter(Boolean), status);
    galleries[0].before(bar);
    show();
  };

  const slide = (gallery) => {
    const steps = [...gallery.querySelectorAll("figure[data-step]")];
    if (steps.length < 2) return;
    const bar = make("div", { class: "companion", "data-companion": "slider" });
    const range = make("input", { type: "range", min: 0, max: steps.length - 1, step: 1, value: 0 });
    range.setAttribute("aria-label", words.epsilon);
    const told = make("output");
    const show = () => {
      const together = all.getAttribute("aria-pressed") === "true";
      const at = Number(range.value);
      steps.forEach((figure, place) => (figure.hidden = !together && place !== at));
      gallery.classList.toggle("sliding", !together);
      range.setAttribute("aria-valuetext", steps[at].dataset.step);
      told.textContent = steps[at].dataset.step;
    };
    const all = button(words.together, false, () => {
      all.setAttribute("aria-pressed", String(all.getAttribute("aria-pressed") !== "true"));
      show();
    });
    range.addEventListener("input", () => {
      all.setAttribute("aria-pressed", "false");
      show();
    });
    bar.append(range, told, all);
    gallery.querySelector(".pictures").before(bar);
    show();
  };

  filter();
  document.querySelectorAll('.gallery[data-use="slider"]').forEach(slide);
})();
