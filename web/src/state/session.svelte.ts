import { api, Problem } from "../api/client";
import type { Session } from "../api/types";
import { history } from "../words/dates";

/** Who is signed in. `away` means that the server could not be asked yet. */
class SignIn {
  state = $state<"asking" | "in" | "out" | "away">("asking");
  session = $state.raw<Session | null>(null);

  async ask(): Promise<void> {
    try {
      this.session = await api.session();
      history.days = this.session.history_days;
      this.state = "in";
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.lost();
      else if (this.state !== "in") {
        this.state = "away";
        setTimeout(() => void this.ask(), 2_500);
      }
    }
  }

  async end(): Promise<void> {
    await api.signOut();
    this.lost();
  }

  lost(): void {
    this.session = null;
    this.state = "out";
  }
}

export const signIn = new SignIn();
