// ServerStore in the browser: a dcc.Store that holds a token, and a page that says which tokens it holds.
(function () {
    "use strict";

    const BEAT = 5 * 60 * 1000; // milliseconds between claims of a page in which nothing changes
    const PAUSE = 100; // milliseconds in which changes are gathered into one claim

    const page = Array.from(window.crypto.getRandomValues(new Uint8Array(16)))
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
    const stores = new Map(); // key of the component's id -> what it holds
    let dropped = []; // tokens that the page held and holds no more, since its last claim
    let turn = 0;
    let pause = null;
    let underWay = false;

    function url() {
        const config = JSON.parse(document.getElementById("_dash-config").textContent);
        return config.requests_pathname_prefix + "_dash-brain-claim";
    }

    function body(stores, state) {
        const held = stores.map(({id, mark, token, kind}) => ({id, mark, token, kind}));
        const told = JSON.stringify({page, turn: ++turn, state, held, dropped});
        dropped = [];
        return told;
    }

    // One claim after the other: a second one must not overtake the first.
    async function claim() {
        pause = null;
        if (underWay) {
            return soon();
        }
        underWay = true;
        try {
            const held = Array.from(stores.values(), (store) => ({...store}));
            const answer = await fetch(url(), {method: "POST", body: body(held, "open"), credentials: "same-origin"});
            if (answer.ok) {
                (await answer.json()).dead.forEach((place) => clear(held[place]));
            } else {
                console.warn(`dash_brain: the server did not take what this page holds (${answer.status})`);
            }
        } catch (error) {
            console.warn("dash_brain: the server cannot be told what this page holds", error);
        } finally {
            underWay = false;
        }
    }

    function soon() {
        pause = pause || setTimeout(claim, PAUSE);
    }

    function now() {
        if (stores.size) {
            soon();
        }
    }

    // A dead token is cleared, unless another has taken its place meanwhile.
    function clear(claimed) {
        const store = stores.get(claimed.key);
        if (store && store.token === claimed.token && store.setProps) {
            store.setProps({data: null});
        }
    }

    function drop(store) {
        if (store && store.token) {
            dropped.push(store.token);
        }
    }

    function hold(store) {
        const before = stores.get(store.key);
        if (before && before.token !== store.token) {
            drop(before);
        }
        stores.set(store.key, store);
        if (!before || !before.setProps || before.token !== store.token) {
            soon();
        }
    }

    // What sessionStorage and localStorage keep comes back when the component does.
    function letGo(key) {
        const store = stores.get(key);
        if (store.kind === "memory") {
            drop(store);
            stores.delete(key);
        } else {
            stores.set(key, {...store, setProps: null});
        }
        soon();
    }

    function ServerStore({mark, ...props}) {
        const {useEffect, useRef, createElement} = window.React;
        const key = JSON.stringify(props.id);
        const mounted = useRef(false);
        const early = useRef(null); // what dcc.Store found in the browser's storage while it was mounted

        function tell(data) {
            const token = data === undefined ? null : data;
            hold({key, id: props.id, mark, token, kind: props.storage_type, setProps: props.setProps});
        }

        // Dash need not render us again for what dcc.Store reports by itself.
        function setProps(changed) {
            if ("data" in changed && mounted.current) {
                tell(changed.data);
            } else if ("data" in changed) {
                early.current = changed.data;
            }
            props.setProps(changed);
        }

        useEffect(() => {
            tell(mounted.current ? props.data : props.data || early.current);
            mounted.current = true;
        });
        useEffect(() => () => letGo(key), [key]);
        return createElement(window.dash_core_components.Store, {...props, setProps});
    }

    ServerStore.defaultProps = {storage_type: "memory", clear_data: false, modified_timestamp: -1};

    setInterval(now, BEAT);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
    window.addEventListener("pageshow", (event) => event.persisted && now());
    window.addEventListener("pagehide", (event) => {
        // A page that goes to the back/forward cache may be shown again, for a while.
        if (stores.size) {
            const state = event.persisted ? "parked" : "gone";
            navigator.sendBeacon(url(), body(Array.from(stores.values()), state));
        }
    });

    window.dash_brain = window.dash_brain || {};
    window.dash_brain.ServerStore = ServerStore;
})();
