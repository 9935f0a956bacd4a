export type ThemeChoice = "auto" | "light" | "dark";
export type Shade = "light" | "dark";

const CHOICES: ThemeChoice[] = ["auto", "light", "dark"];
const KEY = "clickatlas.theme";

/** Light, dark, or as the system is; the choice is kept in this browser. */
class Theme {
  choice = $state<ThemeChoice>(stored());
  #dark = $state(matchMedia("(prefers-color-scheme: dark)").matches);
  shade = $derived<Shade>(this.choice === "auto" ? (this.#dark ? "dark" : "light") : this.choice);

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
      this.#dark = event.matches;
    });
    this.#apply();
  }

  next(): void {
    this.choice = CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length]!;
    this.#apply();
  }

  #apply(): void {
    if (this.choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.choice;
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // Storage may be switched off; the choice then lasts as long as the page.
    }
  }
}

function stored(): ThemeChoice {
  try {
    return CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

export const theme = new Theme();
