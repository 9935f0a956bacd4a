import { words } from "../account/account";

/** One thing that is done to the server at a time, and what went wrong with the last. */
export class Deed {
  busy = $state(false);
  problem = $state("");
  done = $state("");

  /** Does `act`; says `done` when that went well. */
  async run(act: () => Promise<unknown>, done = ""): Promise<boolean> {
    this.busy = true;
    this.problem = this.done = "";
    try {
      await act();
      this.done = done;
    } catch (error) {
      this.problem = words(error);
    }
    this.busy = false;
    return !this.problem;
  }
}
