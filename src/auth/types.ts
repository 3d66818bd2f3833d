/** Who asks, and the auth revision at which that was found out. Revision 0: nobody was named. */
export interface Identity {
  readonly username: string;
  readonly revision: number;
}

/** A request without a token and without a certificate's name. */
export const NOBODY: Identity = Object.freeze({ username: '', revision: 0 });
