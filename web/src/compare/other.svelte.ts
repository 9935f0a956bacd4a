import type { Address } from "../state/address";
import { Explorer } from "../state/explorer.svelte";

/** The second side of a comparison: shares everything with the first but the filter. */
export class OtherSide extends Explorer {
  readonly #main: Explorer;
  readonly #shown = $derived.by((): Address => {
    const { address } = this.#main;
    return { ...address, filter: address.other };
  });

  constructor(main: Explorer) {
    super();
    this.#main = main;
    this.areaNames = main.areaNames;
    this.choices = main.choices;
  }

  override get address(): Address {
    return this.#shown;
  }

  override goTo(address: Address, how: "push" | "replace"): void {
    this.#main.goTo({ ...address, filter: this.#main.filter, other: address.filter }, how);
  }
}
