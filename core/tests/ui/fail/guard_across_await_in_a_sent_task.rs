fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(async {
        let _scope = onward::enter(onward::current());
        std::future::ready(()).await;
    });
}
